import CommandLog
import Failures
import Recipe
import SearchCluster

/// Whether the users that the recipe names may do what the migration will do. What cannot be asked is said.
package enum RightsRail {
    /// Changes nothing.
    static func look(_ recipe: Recipe, _ survey: Survey, admin: LogAdmin?) throws -> [Rail] {
        let isOneCluster = survey.source?.isSame(as: survey.target) == true
        let clusters = try RightsLook.take(
            Rights.all(of: recipe, survey, isOneCluster: isOneCluster), at: Rights.Stage.planned,
            source: survey.source, target: survey.target)
        let log = try admin.map { (admin) throws(LogError) in try LogRights.look(recipe, survey, admin: admin) }
        return judge(recipe, clusters, log)
    }

    static func isForbidden(_ error: any Error) -> Bool {
        (error as? ClusterError)?.code == .forbidden || (error as? WorkError)?.isForbidden == true
    }

    /// Why a look at the clusters failed for want of a privilege; nil: it is not known which are missing. Then the
    /// error itself says what was forbidden.
    static func explained(_ recipe: Recipe) -> WorkError? {
        guard let target = try? Cluster.connect(recipe.target) else { return nil }
        defer { target.close() }
        let source = recipe.source.flatMap { try? Cluster.connect($0) }
        defer { source?.close() }
        let rights = Rights.all(of: recipe, nil, isOneCluster: source?.isSame(as: target) == true)
        guard
            let look = try? RightsLook.take(rights, at: Rights.Stage.planned, source: source, target: target),
            let missing = look.words(at: [.work])
        else { return nil }
        return WorkError(.refused, "rights: " + refusal(missing))
    }

    package static func judge(_ recipe: Recipe, _ clusters: RightsLook, _ log: LogRights?) -> [Rail] {
        var found: [Rail] = []
        func add(_ verdict: Rail.Verdict, _ text: String) {
            found.append(Rail(name: "rights", verdict: verdict, detail: text))
        }
        let missing = [clusters.words(at: [.work]), log?.lacking].compactMap { $0 }
        if !missing.isEmpty { add(.refused, refusal(missing.joined(separator: "; "))) }
        if let later = clusters.words(at: [.rollover, .finish, .deleteOld], but: [.work]) {
            add(
                .warn,
                "the user lacks what only the rollover and what comes after it need: \(later). Their gates will say "
                    + "so again: docs/guide.md, \"Privileges\"")
        }
        let comfort = [clusters.words(at: [.comfort], but: [.work]), log?.wished].compactMap { $0 }
        if !comfort.isEmpty {
            add(.warn, "the user lacks what the work goes on without: \(comfort.joined(separator: "; "))")
        }
        let unknown = clusters.unknown + (log?.unasked.map { [$0] } ?? [])
        if !clusters.unknown.isEmpty {
            add(
                .warn,
                "it is not known whether all privileges are there: \(unknown.joined(separator: "; ")). What is missing "
                    + "is met as a refusal of the server: docs/guide.md, \"Privileges\"")
        } else if found.isEmpty {
            add(.ok, ([passed(clusters)] + unknown).joined(separator: "; "))
        }
        return found
    }

    private static func refusal(_ missing: String) -> String {
        "the user lacks privileges: \(missing). Grant them: docs/guide.md, \"Privileges\", has roles to copy"
    }

    private static func passed(_ look: RightsLook) -> String {
        var parts: [String] = []
        if look.count > 0 { parts.append("\(look.count) privileges were asked for, and all are there") }
        if !look.unchecked.isEmpty {
            let who = look.unchecked.joined(separator: " and the ")
            parts.append("the \(who) \(look.unchecked.count == 1 ? "checks" : "check") no privileges")
        }
        return parts.joined(separator: "; ")
    }
}

extension Rights.Stage {
    static let planned: Set<Rights.Stage> = [.work, .comfort, .rollover, .finish, .deleteOld]
}

/// What the brokers let our user do, as far as that shows without doing it.
package struct LogRights: Sendable, Equatable {
    /// Without it `follow` cannot work.
    package var lacking: String?
    /// Without it the work goes on.
    package var wished: String?
    /// What nobody can ask for.
    package var unasked: String?

    package init(lacking: String? = nil, wished: String? = nil, unasked: String? = nil) {
        (self.lacking, self.wished, self.unasked) = (lacking, wished, unasked)
    }

    /// Reading the topic needs no question: the samples read it.
    static func look(_ recipe: Recipe, _ survey: Survey, admin: LogAdmin) throws(LogError) -> LogRights {
        var found = LogRights()
        let (group, topic) = (recipe.commands.group, recipe.commands.topic)
        if survey.committedUnknown != nil,
            try isForbidden({ () throws(LogError) in
                _ = try admin.committedOffsets(group: group, topic: topic, partitions: survey.topic.partitions)
            })
        {
            found.lacking = "READ and DESCRIBE on group \(group) of Kafka (offsets of its own, which `follow` needs)"
        }
        guard recipe.kafkaSettings.namesUser else { return found }
        let letters = recipe.deadLetterTopic
        if try isForbidden({ () throws(LogError) in try admin.tryToCreate(letters) }) {
            found.wished =
                "CREATE on topic \(letters) of Kafka (dead letters; make the topic yourself, or the first one stops "
                + "the work)"
        }
        found.unasked =
            "Kafka cannot be asked for READ on group \(group), WRITE on topic \(letters) and DELETE on both without "
            + "doing it"
        return found
    }

    private static func isForbidden(_ question: () throws(LogError) -> Void) throws(LogError) -> Bool {
        do throws(LogError) {
            try question()
            return false
        } catch {
            guard error.code != .unreachable, error.code != .timedOut else { throw error }
            return error.code == .authorization
        }
    }
}
