import Foundation

/// The demo's steps: why, the migration, a crash, the proof, the rollover. Every step of Crossfade is a process of this
/// binary.
struct DemoStory {
    let session: DemoSession

    func tell() throws {
        let began = Date()
        try why()
        try migrate()
        try follow()
        try crash()
        try freeze()
        try prove()
        try verify()
        try cutOver()
        try endFollowing()
        session.receipt.seconds = Date().timeIntervalSince(began)
        session.screen.heading("Receipt")
        session.receipt.show(session.screen)
    }

    private func why() throws {
        session.screen.heading("Why")
        session.screen.say(
            "An application writes alerts as commands to a Kafka topic, and its indexer keeps an index by them. Every "
                + "job brings a tag key of its own, and every key is one more field in the mapping:")
        session.screen.titles(["commands", "documents", "fields in mapping"])
        session.indexer.start()
        try session.wait("the partitions of the application's indexer", seconds: 60) {
            session.indexer.progress.isAssigned
        }
        session.writer.start()
        var step = 0
        let rows = 6
        try session.wait("the application's index", seconds: 120) {
            let applied = Int(session.indexer.progress.applied)
            guard applied >= session.options.before * (step + 1) / rows || applied >= session.options.before else {
                return false
            }
            step = min(rows, applied * rows / max(1, session.options.before))
            try session.servers.old.writer.refresh(session.names.old)
            session.screen.numbers([
                applied, Int(try session.servers.old.reader.count(session.names.old)),
                try DemoComparison.fields(session.names.old, of: session.servers.old),
            ])
            return applied >= session.options.before
        }
        session.screen.line()
        try tryAsTheyAre()
        // The application never stops from here on.
        session.writer.go(to: session.options.commandsBeforeCrash, rate: session.options.rate, newKeys: 10)
    }

    /// Shows how the new cluster answers when it gets the unchanged documents.
    private func tryAsTheyAre() throws {
        let new = session.servers.new
        try new.writer.createIndex(
            session.names.wide, body: ["settings": ["number_of_shards": 1, "number_of_replicas": 0]])
        defer { _ = try? new.writer.deleteIndex(session.names.wide) }
        let documents = session.writer.model.documents.sorted { $0.key < $1.key }.map { ($0.key, Optional($0.value)) }
        for start in stride(from: 0, to: documents.count, by: 250) {
            let part = Array(documents[start..<min(start + 250, documents.count)])
            guard let refusal = try DemoBulk.send(part, to: session.names.wide, new) else { continue }
            session.screen.say(
                "\(new.server) does not take that. The same documents, sent to it as they are, go well until document "
                    + "\(DemoScreen.grouped(start + refusal.position + 1)):")
            session.screen.say("\(refusal.type): \(refusal.reason)", indent: "    ", .bad)
            session.receipt.refusal = refusal.reason
            return
        }
        session.screen.say("\(new.server) took all of them as they are: it has no limit of fields.")
    }

    private func migrate() throws {
        session.screen.heading("The migration")
        session.screen.say(
            "The new index gets two fields for all tags (keyToValue). From here on the application writes "
                + "\(Int(session.options.rate)) commands a second, whatever happens.")
        let recipe = DemoFolder.recipe
        let plan = try session.run(["plan", recipe])
        let marker = "fingerprint "
        guard
            let fingerprint = plan.said.split(separator: "\n").last(where: { $0.hasPrefix(marker) })?
                .dropFirst(marker.count)
        else { throw DemoError("crossfade plan printed no fingerprint.") }
        try session.run(["init", recipe, "--confirm", String(fingerprint)])
        try session.run(["copy", recipe])
        try session.run(["replay", recipe])
    }

    private func follow() throws {
        let child = try session.startFollowing()
        var shown = false
        try session.wait("the follower", seconds: 60) {
            if !shown, let address = DemoSession.dashboard(child.told) {
                shown = true
                session.screen.line("    dashboard: \(address)", .good)
            }
            return child.told.contains("partitions assigned")
        }
        session.screen.titles(["commands written", "behind"])
        try session.watch("the follower to catch up", seconds: 90) { $0 <= max(50, Int(session.options.rate / 2)) }
    }

    private func crash() throws {
        session.screen.heading("A crash")
        guard let victim = session.follower else { return }
        session.follower = nil
        session.screen.say(
            "The follower is killed without warning, in the middle of its work. The application does not notice.")
        session.screen.line()
        session.screen.command("kill -9 \(victim.pid)")
        victim.signal(SIGKILL)
        session.writer.go(to: session.options.commands, rate: session.options.rate, newKeys: 10)
        let killed = Date()
        session.screen.titles(["commands written", "behind"])
        try session.watch("three seconds", seconds: 20) { _ in Date().timeIntervalSince(killed) >= 3 }
        _ = try session.startFollowing()
        let restarted = Date()
        // The commands up to here count as recovered when Crossfade's group has committed them.
        let debt = session.writer.figures.acknowledged
        try session.watch("the follower to recover", seconds: 90) { _ in try session.lag(of: debt) == 0 }
        session.receipt.recovery = Date().timeIntervalSince(restarted)
        session.screen.say(
            "Recovered \(String(format: "%.1f s", session.receipt.recovery)) after the restart: the dead member\'s "
                + "session "
                + "had to end first."
        )
    }
}
