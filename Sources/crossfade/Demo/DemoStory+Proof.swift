import Foundation
import JSONText

extension DemoStory {
    /// Lets both sides apply everything, then pauses the writer.
    func freeze() throws {
        session.screen.heading("The proof")
        let left = max(0, session.options.commands - session.writer.figures.total)
        if left > 0 {
            session.screen.say("The application still has \(DemoScreen.grouped(left)) commands to write.")
            session.screen.titles(["commands written", "behind"])
        }
        let limit = 60 + Double(left) / max(1, session.options.rate) * 2
        if left > 0 {
            try session.watch("the last command", seconds: limit) { _ in session.writer.hasReachedGoal }
        }
        try session.wait("the last command", seconds: limit) { session.writer.hasReachedGoal }
        try session.wait("both indices to have everything", seconds: 90) {
            try session.lag() == 0 && session.indexer.progress.applied >= Int64(session.options.commands)
        }
        session.screen.say(
            "The writer pauses, so that both sides can be compared at one point. All "
                + "\(DemoScreen.grouped(session.options.commands)) commands are applied.")
        try DemoHook.run(session.servers)
    }

    /// Compares the new index with the model, and fills the receipt.
    func prove() throws {
        try session.servers.new.writer.refresh(session.names.new)
        try session.servers.old.writer.refresh(session.names.old)
        let found = try DemoComparison.read(session.names.new, of: session.servers.new)
        session.receipt.comparison = DemoComparison(expected: session.writer.model, found: found)
        session.receipt.written = session.writer.figures.written
        session.receipt.oldDocuments = Int(try session.servers.old.reader.count(session.names.old))
        session.receipt.oldFields = try DemoComparison.fields(session.names.old, of: session.servers.old)
        session.receipt.newFields = try DemoComparison.fields(session.names.new, of: session.servers.new)
        session.screen.say(
            "A small model, which shares no code with Crossfade's write path, says what every document must be. Each "
                + "one in \(session.names.new) is held against it.")
        let letters = try session.started(["dead-letters", "list", DemoFolder.recipe, "--format", "json"])
        try session.wait(letters.line, seconds: 60) { !letters.isRunning }
        guard letters.code == 0, let list = try? JSONValue(parsing: letters.said) else {
            throw DemoError(letters.ending)
        }
        session.receipt.deadLetters = list["letters"]?.array?.count ?? list["total"]?.size ?? 0
        try session.run(["dead-letters", "list", DemoFolder.recipe])
    }

    /// Lets Crossfade prove it, too.
    func verify() throws {
        session.screen.say(
            "Crossfade proves it without a model: it reads every document of both clusters, the old one's through the "
                + "recipe's transform, and compares them. What it found is a receipt.")
        let work = try session.started(["verify", DemoFolder.recipe, "--report", DemoFolder.receipt])
        session.screen.line()
        session.screen.command(work.line)
        try session.wait(work.line, seconds: 180) { !work.isRunning }
        guard [ExitCode.done, .differs].contains(where: { $0.rawValue == work.code }) else {
            throw DemoError(work.ending)
        }
        session.screen.quote(work.said)
        let shown = try session.started(["receipts", "show", DemoFolder.recipe, "--format", "json"])
        try session.wait(shown.line, seconds: 60) { !shown.isRunning }
        guard shown.code == 0, let receipt = try? JSONValue(parsing: shown.said) else { throw DemoError(shown.ending) }
        session.receipt.verdict = receipt["verdict"]?.string
        session.receipt.verified = receipt["totals"]?["compared"]?.size ?? 0
        try session.run(["status", DemoFolder.recipe])
    }

    /// Ends the follower, unless it is to go on.
    func endFollowing() throws {
        guard !session.options.keeps, let last = session.follower else { return }
        session.follower = nil
        session.screen.line()
        session.screen.command("kill -TERM \(last.pid)")
        last.signal(SIGTERM)
        try session.wait("the follower's end", seconds: 60) { !last.isRunning }
        guard [0, ExitCode.interrupted.rawValue].contains(last.code) else {
            throw DemoError(last.ending)
        }
    }
}
