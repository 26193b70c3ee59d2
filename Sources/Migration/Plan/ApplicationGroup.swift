import CommandLog

/// What is said of an application's consumer group that has committed nothing on the topic: most often its name is
/// mistyped.
enum ApplicationGroup {
    /// `groups`: those that the brokers name; nil: they may not be asked.
    static func without(_ group: String, topic: String, groups: [String]?) -> String {
        let nothing = "group \(group) (commands.application_group) has committed nothing on topic \(topic)"
        guard let groups else { return "\(nothing): check the name" }
        if groups.contains(group) {
            return "\(nothing), though there is such a group: check the name, or let it commit"
        }
        let near = NearestWord.to(group, among: groups).map { "; did you mean \"\($0)\"?" } ?? ": check the name"
        return "\(nothing), and there is no such group\(near)"
    }

    /// The same, asked; nil when the group has committed something.
    static func look(
        _ group: String, topic: String, committed: [Int32: Int64]?, admin: LogAdmin
    ) -> String? {
        guard let committed, committed.isEmpty else { return nil }
        return without(group, topic: topic, groups: try? admin.groups())
    }
}
