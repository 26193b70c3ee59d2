import Foundation

extension DemoStory {
    /// Moves the readers to the new index, back, and again, while they search all the time.
    func cutOver() throws {
        guard session.receipt.passed else { return }
        session.screen.heading("The readers move")
        let file = session.folder.url.appendingPathComponent(DemoFolder.readers)
        let readers = try DemoReaders(session.servers, file: file)
        defer { _ = readers.stop() }
        session.screen.say(
            "Readers search \(session.names.old) every 10 ms, in the cluster that the file \(DemoFolder.readers) "
                + "names; the recipe's cutover.command changes it. The rollover asks its gates first. One of them is "
                + "that no dead letter is left over: these were broken by the application, and a person must say that "
                + "they are meant to stay dead:")
        try arrive(readers, session.servers.oldURL)
        let discard = ["dead-letters", "discard", DemoFolder.recipe, "--why", "broken by the application"]
        let broken = session.writer.figures.written[.broken]
        try session.run(discard)
        let words = ["rollover", DemoFolder.recipe]
        try session.run(words)
        try arrive(readers, session.servers.newURL)
        let more = session.options.commands + 100
        session.screen.say(
            "The application writes 100 commands more. Both indices get them, so there is a way back:")
        session.writer.go(to: more, rate: session.options.rate, newKeys: 0)
        try session.wait("the last command", seconds: 60) { session.writer.hasReachedGoal }
        try session.wait("both indices to have everything", seconds: 90) {
            try session.lag() == 0 && session.indexer.progress.applied >= Int64(more)
        }
        try session.run(["rollback", DemoFolder.recipe])
        try arrive(readers, session.servers.oldURL)
        session.screen.say("And forward again:")
        if session.writer.figures.written[.broken] != broken { try session.run(discard, quotes: false) }
        try session.run(words, quotes: false)
        try arrive(readers, session.servers.newURL)
        let seen = readers.stop()
        session.receipt.searches = (seen.old, seen.new, seen.wrong.count)
        guard let first = seen.wrong.first else { return }
        throw DemoError("\(seen.wrong.count) searches went wrong; the first: \(first)")
    }

    /// Until they have searched ten times more, the last time there.
    private func arrive(_ readers: DemoReaders, _ address: String) throws {
        let before = readers.present
        try session.wait("the readers to search at \(address)", seconds: 30) {
            let now = readers.present
            return now.address == address && now.old + now.new >= before.old + before.new + 10
        }
    }
}
