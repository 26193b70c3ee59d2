import CommandLog
import Failures
import LogGuard
import Recipe
import State
import Telemetry

/// What the brokers say of the command topic and of both groups. Without commands all of it is empty, as of a log
/// without partitions.
struct LogLook {
    var topic = TopicDescription(topic: "", partitions: [])
    var watermarks: [Int32: (low: Int64, high: Int64)] = [:]
    var ends: [Int32: Int64] = [:]
    var application: Told<[Int32: Int64]>?
    var applicationWithout: String?
    var committedUnknown: String?
    var history = LogHistory()
    /// Why the topic could not be looked at, where that is no reason to end; nil: it was.
    var unknown: LogError?
    private var isSpared = false

    /// Describes the topic; `rest` looks at the remainder, when the state is known.
    /// - Parameter isSpared: whether a topic that cannot be looked at is left unknown.
    static func begin(_ recipe: Recipe, _ admin: LogAdmin?, isSpared: Bool) throws -> LogLook {
        var look = LogLook()
        look.isSpared = isSpared
        if let admin { try look.ask { look in look.topic = try admin.describe(recipe.commands.topic) } }
        return look
    }

    private mutating func ask(_ question: (inout LogLook) throws -> Void) throws {
        do {
            try question(&self)
        } catch let error as LogError {
            guard isSpared else { throw error }
            // Half of what belongs together would mislead.
            self = LogLook()
            unknown = error
        }
    }

    /// What was applied is asked before the end of the log. Both grow while a follower works, and the end must be
    /// further.
    mutating func rest(_ recipe: Recipe, _ state: MigrationState?, _ clients: LogClients?, logger: Logger) throws {
        guard let clients, unknown == nil else { return }
        try ask { look in try look.lookOn(recipe, state, clients, logger) }
    }

    private mutating func lookOn(
        _ recipe: Recipe, _ state: MigrationState?, _ clients: LogClients, _ logger: Logger
    ) throws {
        guard let admin = clients.admin else { return }
        let (commands, partitions) = (recipe.commands, topic.partitions)
        let own = try Told.by { () throws(LogError) in
            try admin.committedOffsets(group: commands.group, topic: commands.topic, partitions: partitions)
        }
        committedUnknown = own.why
        application = try commands.applicationGroup.map { group in
            try Told.by { () throws(LogError) in
                try admin.committed(group: group, topic: commands.topic, partitions: partitions)
            }
        }
        // Asked before the last stable offsets. Otherwise records written between the two questions would look like an
        // open transaction.
        let told = try clients.whole?.watermarks(commands.topic, partitions: partitions).mapValues(\.high)
        watermarks = try admin.watermarks(commands.topic, partitions: partitions)
        ends = told ?? watermarks.mapValues(\.high)
        history = try LogHistory.compare(recipe, now: own.value ?? [:], state: state, marks: watermarks, logger: logger)
        applicationWithout = commands.applicationGroup.flatMap {
            ApplicationGroup.look($0, topic: commands.topic, committed: application?.value, admin: admin)
        }
    }
}

extension Recipe {
    /// Throws where a command works on the topic, and there is none.
    package func checkHasCommands(for purpose: Purpose) throws(WorkError) {
        guard !hasCommands else { return }
        switch purpose {
        case .replay: throw withoutCommands("there is nothing to replay")
        case .follow: throw withoutCommands("there is nothing to follow")
        case .redrive: throw withoutCommands("there are no dead letters")
        case .plan, .initialise, .copy, .status, .purge, .verify, .verifyLog, .wayBack, .cutover: return
        }
    }

    /// - Parameter what: follows from that, in words.
    package func withoutCommands(_ what: String) -> WorkError {
        WorkError(
            .recipe,
            "the recipe names no command topic (commands), so \(what). What the application writes to the source comes "
                + "over with a copy: run `crossfade copy \(typed)` again, and `crossfade verify \(typed)` before the "
                + "rollover")
    }

    /// A client for the brokers; nil: there are no commands.
    package func logAdmin(_ logger: Logger) throws(LogError) -> LogAdmin? {
        hasCommands ? try LogAdmin(settings: kafkaSettings, log: logger.kafka) : nil
    }
}
