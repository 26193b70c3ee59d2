import CommandLog
import Foundation

/// Everything that runs for one demo: servers, writer, indexer and the commands of Crossfade. It waits for conditions
/// and, while it waits, notices when one of them fails.
final class DemoSession {
    let servers: DemoServers
    let folder: DemoFolder
    let options: DemoOptions
    let screen: DemoScreen
    let writer: DemoWriter
    let indexer: DemoIndexer
    var receipt: DemoReceipt
    /// The command `follow` that should run now; nil: none.
    var follower: DemoChild?
    private var children: [DemoChild] = []
    private let admin: LogAdmin
    var names: DemoNames { servers.names }

    init(_ servers: DemoServers, _ folder: DemoFolder, _ options: DemoOptions, _ screen: DemoScreen) throws {
        (self.servers, self.folder, self.options, self.screen) = (servers, folder, options, screen)
        receipt = DemoReceipt(seed: options.seed)
        writer = try DemoWriter(
            servers.settings(group: "writer"), topic: servers.names.topic, partitions: DemoServers.partitions,
            seed: options.seed, limit: servers.partitionLimit, goal: options.before, rate: 1200)
        indexer = try DemoIndexer(
            servers.settings(group: servers.names.applicationGroup), topic: servers.names.topic, cluster: servers.old,
            index: servers.names.old)
        admin = try LogAdmin(settings: servers.settings(group: servers.names.group))
    }

    /// Ends everything that runs for the demo.
    func end() {
        for child in children where child.isRunning { child.end() }
        writer.stop()
        indexer.stop()
        admin.close()
    }

    /// Waits until `done` is true. Throws when something fails, or after `seconds`. `what`: for the error's text.
    func wait(_ what: String, seconds: Double, _ done: () throws -> Bool) throws {
        let limit = Date().addingTimeInterval(seconds)
        while try !done() {
            try check()
            guard Date() < limit else { throw DemoError("\(what) did not come within \(Int(seconds)) s.") }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    func check() throws {
        if DemoSignals.isAsked { throw DemoError.interrupted }
        if let failure = writer.figures.failure { throw DemoError("the writer ended: \(failure)") }
        if let failure = indexer.progress.failure { throw DemoError("the application's indexer ended: \(failure)") }
        if let follower, !follower.isRunning {
            throw DemoError(follower.ending)
        }
    }

    /// Runs a command as a user would. Shows the command line and, if `quotes`, the command's output.
    @discardableResult
    func run(_ words: [String], quotes: Bool = true) throws -> DemoChild {
        let child = try started(words)
        screen.line()
        screen.command(child.line)
        try wait(child.line, seconds: 180) { !child.isRunning }
        guard child.code == 0 else {
            throw DemoError(child.ending)
        }
        if quotes { screen.quote(child.said) }
        return child
    }

    func started(_ words: [String]) throws -> DemoChild {
        let child = try DemoChild(words, folder: folder.url, number: children.count + 1)
        children.append(child)
        return child
    }

    /// The number of commands in the log that Crossfade's group has not committed. `written`: per partition; nil: all.
    func lag(of written: [Int32: Int64]? = nil) throws -> Int {
        let written = written ?? writer.figures.acknowledged
        let committed = try admin.committed(
            group: names.group, topic: names.topic, partitions: (0..<DemoServers.partitions).map { Int32($0) })
        return written.reduce(0) { $0 + max(0, Int($1.value - (committed[$1.key] ?? 0))) }
    }

    func startFollowing() throws -> DemoChild {
        let child = try started(["follow", DemoFolder.recipe])
        screen.line()
        screen.command(child.line + " &")
        follower = child
        return child
    }

    /// The address of the dashboard in the log lines of a command.
    static func dashboard(_ told: String) -> String? {
        guard let line = told.split(separator: "\n").first(where: { $0.contains("operations are served") }),
            let range = line.range(of: "http://[0-9A-Za-z.:\\[\\]]+/?", options: .regularExpression)
        else { return nil }
        return String(line[range])
    }

    /// Prints how far the new cluster is behind, every 1.5 s, until `done` accepts that number.
    func watch(_ what: String, seconds: Double, until done: (Int) throws -> Bool) throws {
        var next = Date()
        try wait(what, seconds: seconds) {
            guard Date() >= next else { return false }
            let behind = try lag()
            receipt.largestLag = max(receipt.largestLag, behind)
            screen.numbers([writer.figures.total, behind])
            next = Date().addingTimeInterval(1.5)
            return try done(behind)
        }
    }
}
