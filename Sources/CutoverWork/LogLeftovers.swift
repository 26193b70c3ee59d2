import CommandLog
import Recipe
import Telemetry

/// What Crossfade leaves in Kafka: its consumer group and the dead-letter topic.
struct LogLeftovers {
    let recipe: Recipe
    let logger: Logger

    private func asking<Answer>(_ body: (LogAdmin) throws(LogError) -> Answer) throws(LogError) -> Answer {
        let admin = try LogAdmin(settings: recipe.kafkaSettings, log: logger.kafka)
        defer { admin.close() }
        return try body(admin)
    }

    /// Whether there is a group, as far as the brokers tell.
    func hasGroup() throws(LogError) -> Bool {
        guard recipe.hasCommands else { return false }
        return try asking { (admin) throws(LogError) in try admin.groups().contains(recipe.commands.group) }
    }

    /// Whether somebody is in our group, whose work goes on in what is to be removed. Brokers that do not say it will
    /// refuse to delete the group.
    func groupHasMembers() -> Bool {
        guard recipe.hasCommands else { return false }
        let group = recipe.commands.group
        return (try? asking { (admin) throws(LogError) in try admin.groupHasMembers(group, timeout: 5) }) ?? false
    }

    /// False: there was none.
    func deleteGroup() throws(LogError) -> Bool {
        guard recipe.hasCommands else { return false }
        return try asking { (admin) throws(LogError) in try admin.deleteGroup(recipe.commands.group) }
    }

    /// How many records the dead-letter topic holds: letters, and what became of them. nil: there is no such topic.
    func deadLetterRecords() throws(LogError) -> Int64? {
        guard recipe.hasCommands else { return nil }
        return try asking { (admin) throws(LogError) in
            let topic = recipe.deadLetterTopic
            do throws(LogError) {
                let marks = try admin.watermarks(topic, partitions: try admin.describe(topic).partitions)
                return marks.values.reduce(0) { $0 + $1.high - $1.low }
            } catch {
                guard error.code == .missingTopic else { throw error }
                return nil
            }
        }
    }

    /// False: there was none.
    func deleteDeadLetters() throws(LogError) -> Bool {
        guard recipe.hasCommands else { return false }
        return try asking { (admin) throws(LogError) in try admin.deleteTopic(recipe.deadLetterTopic) }
    }
}
