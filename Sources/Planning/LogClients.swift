import CommandLog
import LogGuard
import Recipe
import Telemetry

/// The clients with which a command asks the brokers. To make one and to connect it takes as long as many questions.
package struct LogClients: Sendable {
    /// nil: there are no commands.
    package let admin: LogAdmin?
    /// Sees the real ends of the log; nil: `admin` does.
    package let whole: LogAdmin?

    package init(_ recipe: Recipe, _ logger: Logger) throws(LogError) {
        admin = try recipe.logAdmin(logger)
        whole = admin == nil ? nil : try OpenTransaction.reader(recipe.kafkaSettings, logger: logger)
    }

    /// Ends them. No other call may follow.
    package func close() {
        whole?.close()
        admin?.close()
    }
}
