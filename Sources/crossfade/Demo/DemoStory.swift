import CommandLog
import Foundation
import JSONText

/// What the demo is told to do.
struct DemoOptions: Sendable {
    var seed: UInt64 = 17
    /// Seconds for which the writer writes at its steady rate.
    var duration = 40.0
    /// Commands a second.
    var rate = 200.0
    var keeps = false
    /// Commands that the application had written before anybody thought of moving.
    var before = 3500

    /// All commands of the story.
    var commands: Int { before + Int((duration * rate).rounded()) }

    /// So many before the follower is killed at the latest, so that it always has something to make good.
    var commandsBeforeCrash: Int { before + Int((duration * rate * 0.6).rounded()) }
}

/// The story: why, the migration step by step, a crash, the proof. Each step of Crossfade is a process of this binary.
final class DemoStory {
    let servers: DemoServers
    let folder: DemoFolder
    let options: DemoOptions
    let screen: DemoScreen
    let writer: DemoWriter
    let indexer: DemoIndexer
    private(set) var receipt: DemoReceipt
    private var children: [DemoChild] = []
    private var follower: DemoChild?
    private let admin: LogAdmin
    private let began = Date()
    private var names: DemoNames { servers.names }

    init(_ servers: DemoServers, _ folder: DemoFolder, _ options: DemoOptions, _ screen: DemoScreen) throws {
        self.servers = servers
        self.folder = folder
        self.options = options
        self.screen = screen
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

    func tell() throws {
        try why()
        try migrate()
        try follow()
        try crash()
        try freeze()
        try prove()
        receipt.seconds = Date().timeIntervalSince(began)
        screen.heading("Receipt")
        receipt.show(screen)
    }

    // MARK: Waiting

    /// Waits until `done`, and looks after everything that may fail meanwhile.
    private func wait(_ what: String, seconds: Double, _ done: () throws -> Bool) throws {
        let limit = Date().addingTimeInterval(seconds)
        while try !done() {
            try check()
            guard Date() < limit else { throw DemoError("\(what) did not come within \(Int(seconds)) s.") }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    private func check() throws {
        if DemoSignals.isAsked { throw DemoError.interrupted }
        if let failure = writer.figures.failure { throw DemoError("the writer ended: \(failure)") }
        if let failure = indexer.progress.failure { throw DemoError("the application's indexer ended: \(failure)") }
        if let follower, !follower.isRunning {
            throw DemoError(follower.ending)
        }
    }

    /// Runs a command as a user would, shows it and what it prints.
    @discardableResult
    private func run(_ words: [String], quotes: Bool = true) throws -> DemoChild {
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

    private func started(_ words: [String]) throws -> DemoChild {
        let child = try DemoChild(words, folder: folder.url, number: children.count + 1)
        children.append(child)
        return child
    }

    /// Commands that are in the log and that Crossfade's group has not yet confirmed.
    private func lag(of written: [Int32: Int64]? = nil) throws -> Int {
        let written = written ?? writer.figures.acknowledged
        let committed = try admin.committed(
            group: names.group, topic: names.topic, partitions: (0..<DemoServers.partitions).map { Int32($0) })
        return written.reduce(0) { $0 + max(0, Int($1.value - (committed[$1.key] ?? 0))) }
    }

    private func seconds(_ value: Double) -> String { String(format: "%.1f s", value) }

    // MARK: Steps

    private func why() throws {
        screen.heading("Why")
        screen.say(
            "An application writes alerts as commands to a Kafka topic, and its indexer keeps an index by them. Every job "
                + "brings a tag key of its own, and every key is one more field in the mapping:")
        screen.titles(["commands", "documents", "fields in mapping"])
        indexer.start()
        try wait("the partitions of the application's indexer", seconds: 60) { indexer.progress.isAssigned }
        writer.start()
        var step = 0
        let rows = 6
        try wait("the application's index", seconds: 120) {
            let applied = Int(indexer.progress.applied)
            guard applied >= options.before * (step + 1) / rows || applied >= options.before else { return false }
            step = min(rows, applied * rows / max(1, options.before))
            try servers.old.writer.refresh(names.old)
            screen.numbers([
                applied, Int(try servers.old.reader.count(names.old)),
                try DemoComparison.fields(names.old, of: servers.old),
            ])
            return applied >= options.before
        }
        screen.line()
        try tryAsTheyAre()
        // From here on the application never stops.
        writer.go(to: options.commandsBeforeCrash, rate: options.rate, newKeys: 10)
    }

    /// What the new cluster answers to the documents as they are.
    private func tryAsTheyAre() throws {
        let new = servers.new
        try new.writer.createIndex(
            names.wide, body: ["settings": ["number_of_shards": 1, "number_of_replicas": 0]])
        defer { _ = try? new.writer.deleteIndex(names.wide) }
        let documents = writer.model.documents.sorted { $0.key < $1.key }.map { ($0.key, Optional($0.value)) }
        for start in stride(from: 0, to: documents.count, by: 250) {
            let part = Array(documents[start..<min(start + 250, documents.count)])
            guard let refusal = try DemoBulk.send(part, to: names.wide, new) else { continue }
            screen.say(
                "\(new.server) does not take that. The same documents, sent to it as they are, go well until document "
                    + "\(DemoScreen.grouped(start + refusal.position + 1)):")
            screen.say("\(refusal.type): \(refusal.reason)", indent: "    ", .bad)
            receipt.refusal = refusal.reason
            return
        }
        screen.say("\(new.server) took all of them as they are: it has no limit of fields.")
    }

    private func migrate() throws {
        screen.heading("The migration")
        screen.say(
            "The new index gets two fields for all tags (keyToValue). From here on the application writes "
                + "\(Int(options.rate)) commands a second, whatever happens.")
        let recipe = DemoFolder.recipe
        let plan = try run(["plan", recipe])
        let marker = "fingerprint "
        guard
            let fingerprint = plan.said.split(separator: "\n").last(where: { $0.hasPrefix(marker) })?
                .dropFirst(marker.count)
        else { throw DemoError("crossfade plan printed no fingerprint.") }
        try run(["init", recipe, "--confirm", String(fingerprint)])
        try run(["copy", recipe])
        try run(["replay", recipe])
    }

    private func startFollowing() throws -> DemoChild {
        let child = try started(["follow", DemoFolder.recipe])
        screen.line()
        screen.command(child.line + " &")
        follower = child
        return child
    }

    private func follow() throws {
        let child = try startFollowing()
        var shown = false
        try wait("the follower", seconds: 60) {
            if !shown, let address = DemoStory.dashboard(child.told) {
                shown = true
                screen.line("    dashboard: \(address)", .good)
            }
            return child.told.contains("partitions assigned")
        }
        screen.titles(["commands written", "behind"])
        try watch("the follower to catch up", seconds: 90) { $0 <= max(50, Int(options.rate / 2)) }
    }

    /// The address of the dashboard, as a command told it.
    static func dashboard(_ told: String) -> String? {
        guard let line = told.split(separator: "\n").first(where: { $0.contains("operations are served") }),
            let range = line.range(of: "http://[0-9A-Za-z.:\\[\\]]+/?", options: .regularExpression)
        else { return nil }
        return String(line[range])
    }

    /// Shows how far behind the new cluster is, once a second, until `done` says so of it.
    private func watch(_ what: String, seconds: Double, until done: (Int) throws -> Bool) throws {
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

    private func crash() throws {
        screen.heading("A crash")
        guard let victim = follower else { return }
        follower = nil
        screen.say(
            "The follower is killed without warning, in the middle of its work. The application does not notice.")
        screen.line()
        screen.command("kill -9 \(victim.pid)")
        victim.signal(SIGKILL)
        writer.go(to: options.commands, rate: options.rate, newKeys: 10)
        let killed = Date()
        screen.titles(["commands written", "behind"])
        try watch("three seconds", seconds: 20) { _ in Date().timeIntervalSince(killed) >= 3 }
        _ = try startFollowing()
        let restarted = Date()
        // Everything that was written until now must be in the new cluster, by the group's own word.
        let debt = writer.figures.acknowledged
        try watch("the follower to recover", seconds: 90) { _ in try lag(of: debt) == 0 }
        receipt.recovery = Date().timeIntervalSince(restarted)
        screen.say(
            "Recovered \(seconds(receipt.recovery)) after the restart: the dead member's session had to end first.")
    }

    private func freeze() throws {
        screen.heading("The proof")
        let left = max(0, options.commands - writer.figures.total)
        if left > 0 {
            screen.say("The application still has \(DemoScreen.grouped(left)) commands to write.")
            screen.titles(["commands written", "behind"])
        }
        let limit = 60 + Double(left) / max(1, options.rate) * 2
        if left > 0 {
            try watch("the last command", seconds: limit) { _ in writer.hasReachedGoal }
        }
        try wait("the last command", seconds: limit) { writer.hasReachedGoal }
        try wait("both indices to have everything", seconds: 90) {
            try lag() == 0 && indexer.progress.applied >= Int64(options.commands)
        }
        screen.say(
            "The writer pauses, so that both sides can be compared at one point. All \(DemoScreen.grouped(options.commands)) "
                + "commands are applied.")
        try DemoHook.run(servers)
    }

    private func prove() throws {
        try servers.new.writer.refresh(names.new)
        try servers.old.writer.refresh(names.old)
        let found = try DemoComparison.read(names.new, of: servers.new)
        receipt.comparison = DemoComparison(expected: writer.model, found: found)
        receipt.written = writer.figures.written
        receipt.oldDocuments = Int(try servers.old.reader.count(names.old))
        receipt.oldFields = try DemoComparison.fields(names.old, of: servers.old)
        receipt.newFields = try DemoComparison.fields(names.new, of: servers.new)
        screen.say(
            "A small model, which shares no code with Crossfade's write path, says what every document must be. Each one "
                + "in \(names.new) is held against it.")
        let letters = try started(["dead-letters", "list", DemoFolder.recipe, "--format", "json"])
        try wait(letters.line, seconds: 60) { !letters.isRunning }
        guard letters.code == 0, let list = try? JSONValue(parsing: letters.said) else {
            throw DemoError(letters.ending)
        }
        receipt.deadLetters = list["letters"]?.array?.count ?? list["total"]?.int.map { Int($0) } ?? 0
        try run(["dead-letters", "list", DemoFolder.recipe])
        try run(["status", DemoFolder.recipe])
        guard !options.keeps, let last = follower else { return }
        follower = nil
        screen.line()
        screen.command("kill -TERM \(last.pid)")
        last.signal(SIGTERM)
        try wait("the follower's end", seconds: 60) { !last.isRunning }
        guard [0, ExitCode.interrupted.rawValue].contains(last.code) else {
            throw DemoError(last.ending)
        }
    }

    // MARK: --keep

    /// Goes on until a signal: the writer writes, the follower follows.
    func keep() throws {
        screen.heading("It goes on")
        var rows = [
            ("old cluster", servers.oldURL + "/" + names.old + "/_mapping"),
            ("new cluster", servers.newURL + "/" + names.new + "/_mapping"), ("Kafka", servers.bootstrap),
        ]
        if let address = follower.flatMap({ DemoStory.dashboard($0.told) }) { rows.append(("dashboard", address)) }
        screen.table(rows)
        screen.line()
        screen.say("Try, in another terminal:")
        screen.line("  cd \(folder.url.path)", .command)
        // It need not be in the shell's path.
        let program = try DemoChild.program().path
        for words in ["status --watch", "dead-letters list", "plan"] {
            screen.line("  \(program) \(words) \(DemoFolder.recipe)", .command)
        }
        screen.line(
            "  curl '\(servers.newURL)/\(names.new)/_search?q=tags.keyToValue:%22region%3Aeu%22&size=1&pretty'",
            .command)
        screen.line()
        screen.say("Ctrl-C ends it and leaves nothing behind.")
        writer.go(to: .max / 2, rate: options.rate, newKeys: 10)
        var saidFull = false
        while !DemoSignals.isAsked {
            try check()
            if writer.isFull, !saidFull {
                saidFull = true
                screen.say(
                    "The writer pauses for good: the embedded log keeps 5 MiB a partition, and what lies further back would "
                        + "be gone.")
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }
}

/// For tests: a shell command that runs right before the comparison.
enum DemoHook {
    static func run(_ servers: DemoServers) throws {
        let environment = ProcessInfo.processInfo.environment
        guard let command = environment["CROSSFADE_DEMO_HOOK"], !command.isEmpty else { return }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.environment = environment.merging(
            ["OLD": servers.oldURL, "NEW": servers.newURL, "INDEX": servers.names.new]) { _, ours in ours }
        process.standardOutput = FileHandle.standardError
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw DemoError("CROSSFADE_DEMO_HOOK ended with \(process.terminationStatus).")
        }
    }
}
