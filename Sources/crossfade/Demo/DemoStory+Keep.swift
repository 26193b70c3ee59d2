import Foundation

extension DemoStory {
    /// `--keep`: the writer and the follower go on until a signal.
    func keep() throws {
        session.screen.heading("It goes on")
        var rows = [
            ("old cluster", session.servers.oldURL + "/" + session.names.old + "/_mapping"),
            ("new cluster", session.servers.newURL + "/" + session.names.new + "/_mapping"),
            ("Kafka", session.servers.bootstrap),
        ]
        if let address = session.follower.flatMap({ DemoSession.dashboard($0.told) }) {
            rows.append(("dashboard", address))
        }
        rows.append(("receipt", session.folder.url.appendingPathComponent(DemoFolder.receipt).path))
        session.screen.table(rows)
        session.screen.line()
        session.screen.say("Try, in another terminal:")
        session.screen.line("  cd \(session.folder.url.path)", .command)
        // The program may not be in the shell's search path.
        let program = try DemoChild.program().path
        for words in ["status --watch", "dead-letters list", "verify", "receipts list", "plan"] {
            session.screen.line("  \(program) \(words) \(DemoFolder.recipe)", .command)
        }
        session.screen.line(
            "  curl '\(session.servers.newURL)/\(session.names.new)/_search"
                + "?q=tags.keyToValue:%22region%3Aeu%22&size=1&pretty'",
            .command)
        session.screen.line()
        session.screen.say("Ctrl-C ends it and leaves nothing behind.")
        session.writer.go(to: .max / 2, rate: session.options.rate, newKeys: 10)
        var saidFull = false
        while !DemoSignals.isAsked {
            try session.check()
            if session.writer.isFull, !saidFull {
                saidFull = true
                session.screen.say(
                    "The writer pauses for good: the embedded log keeps 5 MiB per partition, and would "
                        + "forget the oldest commands.")
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }
}
