import JSONText
import Parity
import Seeds
import State
import Testing
@testable import Verification

/// Receipts as they are stored, and the list of them in the state.
@Suite struct ReceiptTests {
    /// One of everything.
    static func full() -> Receipt {
        var receipt = Receipt(
            id: "r1", migration: "incidents", version: "1.0", fingerprint: "f1", basis: .source,
            target: Receipt.Side(name: "Elasticsearch 8.17.0 new", uuid: "u2"), topic: "commands", began: 1000)
        (receipt.ended, receipt.oldestRead, receipt.since, receipt.topicID) = (9000, 2000, "r0", "t1")
        receipt.source = Receipt.Side(name: "Elasticsearch 6.8.0 old", uuid: "u1")
        receipt.positions = [
            Receipt.Position(
                partition: 0, verifiedUpTo: 17, application: 20, crossfade: 19, end: 21, writtenUpTo: 16),
            Receipt.Position(partition: 1, verifiedUpTo: 3, end: 3),
        ]
        var index = Receipt.Index(name: "incidents-v2")
        index.from = ["incidents"]
        (index.sourceTotal, index.targetTotal, index.tombstones) = (10, 11, 2)
        (index.sourceRead, index.targetRead, index.uncopied) = (10, 11, 1)
        (index.totals.compared, index.totals.equal, index.totals.settling) = (11, 5, 1)
        for (place, kind) in FindingKind.allCases.enumerated() { index.totals.findings[kind] = place == 0 ? 0 : 1 }
        index.totals.findings[.missing] = nil
        index.ignored = ["updated": 4]
        index.histogramField = "created"
        index.histogram = [Receipt.Bar(from: -1, source: 3, target: 4)]
        index.fields = [
            Receipt.FieldCount(field: "text", source: 10, target: 9, ignored: 1),
            Receipt.FieldCount(field: "tags.value", source: nil, target: 2),
        ]
        (index.uuid, index.sequence) = ("i1", [0: 100, 1: -1])
        index.copies = ["shard 0 differs"]
        index.verdict = .different
        receipt.indices = [index]
        (receipt.verdict, receipt.remarks) = (.different, ["a \"remark\"\n"])
        let key = DocumentKey(entry: 0, id: Array("ä<b>\u{1B}".utf8), routing: Array("r".utf8))
        receipt.examples = [
            Finding(
                .different, key,
                paths: [PathDifference(path: "a[1].b", expected: "1", found: nil)], note: nil, sourceVersion: 7,
                targetVersion: 8),
            Finding(.twin, DocumentKey(entry: 0, id: Array("42".utf8)), note: "incident-42"),
        ]
        receipt.sample = [SampledDocument(key: key, source: "{}", expected: "{\"a\":1}", found: nil)]
        (receipt.open, receipt.openUnlisted) = ([key], 3)
        (receipt.needs, receipt.sequenceRead, receipt.meanwhile) = ([.follow, .indexer], 77, 12)
        var repair = RepairReport(isPerformed: true)
        var counts = RepairReport.Counts()
        (counts.written, counts.deleted, counts.right, counts.overtaken, counts.refused) = (1, 2, 3, 4, 5)
        counts.left = [.baseLost: 6]
        repair.places[.init(entry: 0, kind: .missing)] = counts
        repair.examples = [
            .init(key: key, kind: .missing, step: "write", version: 7),
            .init(key: key, kind: .extra, step: "extra_not_proved", version: nil),
        ]
        repair.examples[0].outcome = "overtaken"
        receipt.repair = repair
        receipt.rechecks = Rechecks(candidates: 5, began: 100)
        receipt.rechecks.add(judged: 2, now: 1300)
        return receipt
    }

    @Test func isTheSameAfterItWasStored() throws {
        let receipt = Self.full()
        let again = try #require(Receipt(json: JSONValue(parsing: receipt.json.text())))
        #expect(again == receipt)
        let entry = ReceiptEntry(receipt, digest: "d")
        #expect(ReceiptEntry(json: try JSONValue(parsing: entry.json.text())) == entry)
        #expect(entry.verifiedUpTo == [0: 17, 1: 3] && entry.age(now: 5000) == 3)
    }

    @Test func aReceiptIsNamedByItsIdByItsBeginOrAsTheLast() {
        func entry(_ id: String, _ verdict: Verdict = .equal, fingerprint: String = "f") -> ReceiptEntry {
            var receipt = Receipt(
                id: id, migration: "m", version: "1", fingerprint: fingerprint, basis: .source,
                target: Receipt.Side(name: "t", uuid: "u"), topic: "c", began: 1)
            receipt.verdict = verdict
            return ReceiptEntry(receipt, digest: "d")
        }
        let entries = [entry("20-a"), entry("20-ab"), entry("21-c", .incomplete), entry("22-d", fingerprint: "g")]
        #expect(entries.named("20-a") == .one("20-a") && entries.named("21") == .one("21-c"))
        #expect(entries.named("20") == .several(["20-a", "20-ab"]) && entries.named("3") == .none)
        #expect(entries.named("") == .none)
        #expect(entries.usable(of: "f", basis: .source).map(\.id) == ["20-ab", "20-a"])
        #expect(entries.usable(of: "f", basis: .log).isEmpty)
    }

    /// Every value of a receipt is made something else; what reads receipts takes it or leaves it, and never traps.
    @Test func noReceiptTraps() throws {
        let seed = newSeed("noReceiptTraps")
        defer { Mutation.forget("receipt") }
        var random = Seeded(seed)
        let document = Self.full().json
        for place in Mutation.places(document) {
            for value in Mutation.values(&random) {
                Mutation.note("receipt", place, value)
                guard let read = Receipt(json: Mutation.changed(document, place[...], to: value)) else { continue }
                let entry = ReceiptEntry(read, digest: "d")
                _ = (entry.json.text(), entry.age(now: 1_800_000_000_000), entry.words(now: 0), read.json.text())
                _ = (
                    read.countsAgree, read.isJudged, read.open.map(read.index),
                    read.examples.map { read.index(of: $0.key) }
                )
                _ = (read.repair?.sum.found, read.totals.wrong, read.totals.compared)
            }
        }
    }

    /// Any member may be missing or of another type: then it is no receipt, and nothing traps.
    @Test func anotherDocumentIsNoReceipt() throws {
        let whole = try #require(Self.full().json.object)
        for key in whole.keys {
            for other: JSONValue in [nil, -1, "x", [["entry": 9e99, "id": 1, "index": true]], ["name": [], "a": 1.5]] {
                var json = whole
                json[key] = other
                let read = Receipt(json: .object(json))
                #expect(read == nil || read?.migration.isEmpty == false)
            }
        }
        var later = whole
        later["form"] = .number(Receipt.form + 1)
        #expect(Receipt(json: .object(later)) == nil)
    }

    @Test func aLongReceiptKeepsItsTotals() {
        var receipt = Self.full()
        let key = DocumentKey(entry: 0, id: Array("id".utf8))
        receipt.examples = (0..<1000).map { number in
            Finding(number % 2 == 0 ? .missing : .extra, key, note: String(repeating: "n", count: 100))
        }
        let short = ReceiptStore.shortened(receipt, to: 50_000)
        #expect(short.json.text().utf8.count <= 50_000 && short.totals == receipt.totals)
        #expect(short.examples.count(where: { $0.kind == .missing }) > 50)
        #expect(short.examples.count(where: { $0.kind == .missing }) * 2 == short.examples.count)
        #expect(short.remarks.count == receipt.remarks.count + 1)
        #expect(ReceiptStore.shortened(receipt) == receipt)
    }

    @Test func theListKeepsWhatNewerOnesRestOn() throws {
        var state = MigrationState(
            name: "m", phase: .copied, fingerprint: "f", work: .null, created: 0, indices: [])
        var dropped: [String] = []
        for number in 0..<ReceiptEntry.most + 20 {
            var receipt = Self.full()
            receipt.id = "r\(number)"
            // All rest on the first one.
            receipt.since = number == 0 ? nil : "r0"
            dropped += state.keep(ReceiptEntry(receipt, digest: "\(number)"))
        }
        #expect(dropped == (1...20).map { "r\($0)" })
        #expect(state.receipts.count == ReceiptEntry.most && state.receipts[0].id == "r0")
        var again = Self.full()
        again.id = "r219"
        #expect(state.keep(ReceiptEntry(again, digest: "new")) == [])
        #expect(state.newestReceipt?.digest == "new" && state.receipts.count == ReceiptEntry.most)
        #expect(MigrationState(json: try JSONValue(parsing: state.json.text())) == state)
    }
}
