import Foundation
import JSONText
import Parity
import Seeds
import Synchronization
import Testing
@testable import Verification

/// A verification while commands keep coming, on embedded servers and librdkafka's own broker: one writer, an old
/// indexer that lags, stops and commits before it writes, and a new one that loses every command for some documents.
@Suite(.serialized) struct LiveParityTests {
    private static let ids = 120

    /// What the threads share. The log is kept here, too, so that both indexers need no Kafka.
    private final class Story: @unchecked Sendable {
        struct Command { var id: Int, kind: String, n: Int }

        let bench: SettlingBench
        let seed: UInt64
        private let condition = NSCondition()
        private var log: [Command] = []
        private var ended = false
        let stop = Atomic<Bool>(false)

        init(_ bench: SettlingBench, _ seed: UInt64) { (self.bench, self.seed) = (bench, seed) }

        static func isLost(_ id: Int) -> Bool { id % 10 == 3 }

        var commands: [Command] { condition.withLock { log } }

        private func append(_ command: Command) {
            condition.withLock {
                log.append(command)
                condition.broadcast()
            }
        }

        /// Commands from `position` on, at most `most`, once there are any; nil: there are no more.
        private func take(_ position: Int, _ most: Int) -> ArraySlice<Command>? {
            condition.withLock { () -> ArraySlice<Command>? in
                while log.count <= position, !ended { condition.wait() }
                return log.count > position ? log[position..<min(log.count, position + most)] : nil
            }
        }

        func write() {
            var seed = Seeded(self.seed)
            var n = 0
            while !stop.load(ordering: .sequentiallyConsistent) {
                n += 1
                let command = Command(
                    id: seed.chance(20) ? 0 : seed.below(LiveParityTests.ids),
                    kind: seed.pick(["put", "put", "part", "part", "del"]), n: n)
                let document = command.kind == "del" ? "" : #","doc":{"\#(command.kind)":\#(n)}"#
                guard (try? bench.command(#"{"op":"\#(command.kind)","id":"\#(command.id)"\#(document)}"#)) != nil
                else {
                    Issue.record("the writer broke off")
                    break
                }
                append(command)
                // About 200 commands a second.
                condition.withLock { _ = condition.wait(until: Date().addingTimeInterval(0.005)) }
            }
            condition.withLock {
                ended = true
                condition.broadcast()
            }
        }

        /// One of the indexers. `commitsFirst`: it commits some records before it writes them.
        func index(commitsFirst: Bool, _ commit: (Int) throws -> Void, _ write: (Command, [String: Int]?, Int) -> Void)
        {
            var seed = Seeded(self.seed &+ (commitsFirst ? 1 : 2))
            var documents: [Int: [String: Int]] = [:]
            for id in 0..<LiveParityTests.ids { documents[id] = ["put": 0] }
            var position = 0
            while let commands = take(position, 1 + seed.below(40)) {
                if commitsFirst { try? commit(position + commands.count) }
                // It lags, and sometimes it stops for a while.
                let pause = seed.chance(10) ? 0.4 : 0.02
                condition.withLock { _ = condition.wait(until: Date().addingTimeInterval(pause * 0.2)) }
                for command in commands {
                    position += 1
                    switch command.kind {
                    case "del": documents[command.id] = nil
                    case "part": documents[command.id, default: [:]]["part"] = command.n
                    default: documents[command.id] = ["put": command.n]
                    }
                    write(command, documents[command.id], position)
                }
                if !commitsFirst { try? commit(position) }
            }
            try? commit(position)
        }
    }

    private static func text(_ document: [String: Int]) -> String {
        "{" + document.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private func start(_ story: Story) -> [Thread] {
        let bench = story.bench
        let threads = [
            Thread { story.write() },
            Thread {
                story.index(commitsFirst: true) {
                    try bench.applied(application: Int64($0), crossfade: nil, both: false)
                } _: { command, document, _ in
                    if let document {
                        bench.old("\(command.id)", Self.text(document))
                    } else {
                        bench.source.send("DELETE", "/old/_doc/\(command.id)")
                    }
                }
            },
            Thread {
                story.index(commitsFirst: false) {
                    try bench.applied(application: nil, crossfade: Int64($0), both: false)
                } _: { command, document, position in
                    guard !Story.isLost(command.id) else { return }
                    let tombstone = #"{"crossfade_deleted":true,"crossfade_deleted_at":1}"#
                    bench.new(
                        "\(command.id)", document.map(Self.text) ?? tombstone, version: Int64(position) + 1)
                }
            },
        ]
        for thread in threads { thread.start() }
        return threads
    }

    @Test(arguments: 0..<3) func noFalseVerdictWhileWritersWrite(_ run: Int) throws {
        let bench = try SettlingBench()
        bench.options.book.grace = 300
        bench.options.book.bound = 20_000
        for id in 0..<Self.ids {
            bench.old("\(id)", #"{"put":0}"#)
            bench.new("\(id)", #"{"put":0}"#, version: 1)
        }
        try bench.applied()
        let story = Story(bench, newSeed("noFalseVerdictWhileWritersWrite \(run)") &+ UInt64(run))
        let threads = start(story)
        defer {
            story.stop.store(true, ordering: .sequentiallyConsistent)
            while threads.contains(where: { !$0.isFinished }) { Thread.sleep(forTimeInterval: 0.01) }
        }
        // Something is under way on both sides.
        while story.commands.count < 100 { Thread.sleep(forTimeInterval: 0.01) }
        let (result, line) = try verify(bench, story)

        var commanded: Set<Int> = []
        for command in story.commands.prefix(Int(line)) { commanded.insert(command.id) }
        let lost = Set((0..<Self.ids).filter(Story.isLost))
        var found: Set<Int> = []
        try result.wrong.read(chunk: 1000) { keys in
            for key in keys { found.insert(Int(String(decoding: key.id, as: UTF8.self)) ?? -1) }
        }
        #expect(found.isSubset(of: lost), "false differences: \(found.subtracting(lost).sorted())")
        #expect(found.isSuperset(of: lost.intersection(commanded)))
        #expect(!found.isEmpty)
        #expect(result.totals.settling == 0, "the writer has stopped: \(result.remarks)")
        #expect(result.examples.count == result.totals.wrong)
    }

    private func verify(_ bench: SettlingBench, _ story: Story) throws -> (SettlingResult, line: Int64) {
        let prepared = try bench.prepared()
        let plan = try bench.plan(prepared)
        let judged = Mutex(0)
        let groups = try bench.groups(prepared)
        let settling = try Settling(
            prepared, plan, expectations: LiveDocuments(prepared, plan), groups: groups, options: bench.options,
            logger: bench.logger
        ) { progress in
            // The writer goes on until some are judged.
            if progress.judged > 20,
                judged.withLock({
                    $0 += 1; return $0
                }) > 3
            {
                story.stop.store(true, ordering: .sequentiallyConsistent)
            }
        }
        let first = try groups.begin(grace: bench.options.book.grace).applied
        bench.refresh()
        var options = ParityScan.Options()
        options.page = 20
        let scan = try ParityScan(
            options, plan: plan, sides: ScanSides(prepared.survey), folder: bench.folder, digest: "one",
            logger: bench.logger
        ).run(begun: .null) { _ in }
        #expect(scan.unread.isEmpty)
        let line = try CommandedDocuments(prepared, groups: groups, logger: bench.logger)
            .add(since: first, to: scan.candidates)
        return (try settling.run(scan.candidates, line: line), line[0] ?? 0)
    }
}
