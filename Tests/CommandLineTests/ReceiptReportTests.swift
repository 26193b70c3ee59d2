import Failures
import Foundation
import JSONText
import Parity
import State
import Testing

@testable import crossfade

/// What a receipt looks like on a terminal, as Markdown and as HTML. Ids, values and names come from outside.
@Suite struct ReceiptReportTests {
    private static let hostile = "<script>alert('1')</script>\u{1B}[2J|`&\"\u{202E}"

    private static func receipt(_ verdict: Verdict = .different) -> Receipt {
        var receipt = Receipt(
            id: "r1", migration: "incidents", version: "1.0", fingerprint: "f1", basis: .source,
            target: Receipt.Side(name: "new", uuid: "u2"), topic: "commands", began: 1_793_491_200_000)
        (receipt.ended, receipt.oldestRead) = (1_793_491_260_000, 1_793_491_201_000)
        receipt.positions = [Receipt.Position(partition: 3, verifiedUpTo: 17, application: 15, crossfade: 19, end: 19)]
        var index = Receipt.Index(name: "incidents-v2")
        (index.sourceTotal, index.sourceRead, index.targetTotal, index.targetRead) = (1_234_567, 1_234_567, 12, 11)
        index.totals.compared = 30
        index.totals.equal = 26
        index.totals.findings = [.different: 1, .missing: 2]
        index.totals.settling = 1
        index.verdict = verdict
        index.histogramField = hostile
        index.histogram = (0..<5).map { Receipt.Bar(from: Int64($0) * 86_400_000, source: $0 * 3, target: 4) }
        index.fields = [Receipt.FieldCount(field: hostile, source: 3, target: 2, ignored: 1)]
        index.ignored = [hostile: 5]
        index.copies = [hostile]
        receipt.indices = [index]
        receipt.verdict = verdict
        receipt.remarks = [hostile]
        let key = DocumentKey(entry: 0, id: Array(hostile.utf8), routing: Array(hostile.utf8))
        receipt.examples = [
            Finding(
                .different, key, paths: [PathDifference(path: hostile, expected: hostile, found: nil)], note: hostile)
        ]
        receipt.sample = [SampledDocument(key: key, source: hostile, expected: nil, found: hostile)]
        return receipt
    }

    private static func report(_ receipt: Receipt) -> ReceiptReport {
        ReceiptReport(receipt, typed: "'my recipe.yaml'")
    }

    /// A report may hold values of documents. One that was there, for all to read, is replaced.
    @Test func onlyItsOwnerReadsAReport() throws {
        let path = NSTemporaryDirectory() + "/crossfade-\(UUID().uuidString).md"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o644]))
        try ReceiptFile(path).write(Self.report(Self.receipt()))
        let told = try FileManager.default.attributesOfItem(atPath: path)
        #expect((told[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains("r1"))
    }

    @Test func nothingFromOutsideIsMarkup() {
        let html = Self.report(Self.receipt()).html
        #expect(!html.contains("<script") && !html.contains("alert('1')") && !html.contains("`&\""))
        #expect(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\\u{1b}[2J|`&amp;&quot;\\u{202e}"))
        // Whatever opens is closed, in the right order.
        var open: [Substring] = []
        for tag in html.matches(of: #/<(/?)([a-z0-9]+)[^>]*?(/?)>/#) {
            let name = tag.output.2
            if ["meta", "path", "rect"].contains(name) || tag.output.3 == "/" { continue }
            if tag.output.1.isEmpty { open.append(name) } else { #expect(open.popLast() == name) }
        }
        #expect(open.isEmpty)
    }

    @Test func aRepairThatIsRefusedIsNotNamed() {
        var report = ReceiptReport(Self.receipt(), typed: "r.yaml")
        #expect(report.next.contains { $0.contains("--repair") })
        report.mayRepair = false
        #expect(report.next.isEmpty)
    }

    /// A file in a folder that goes again.
    private static func written(_ name: String, _ report: ReceiptReport) throws -> ReceiptFile {
        let folder = FileManager.default.temporaryDirectory.appending(path: "receipt-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = try ReceiptFile(folder.appending(path: name).path)
        try file.write(report)
        return file
    }

    @Test(arguments: ReceiptFile.Form.allCases) func anEditedReportIsFound(_ form: ReceiptFile.Form) throws {
        let receipt = Self.receipt()
        var report = ReceiptReport(receipt, typed: "'-->--my recipe.yaml'")
        (report.listsRepair, report.trustsSource) = (true, true)
        let file = try Self.written("r.\(form.rawValue)", report)
        defer { try? FileManager.default.removeItem(at: URL(fileURLWithPath: file.path).deletingLastPathComponent()) }
        // As the state gives it back.
        let stored = try #require(Receipt(json: receipt.json))
        let whole = try WrittenReport(reading: file)
        #expect(whole.receipt == "r1" && whole.trouble(stored) == nil)
        let text = try String(contentsOfFile: file.path, encoding: .utf8)
        for (old, new) in [("26", "27"), ("incidents-v2", "incidents-v3"), ("alert", "Alert")] {
            #expect(text.contains(old))
            try text.replacing(old, with: new, maxReplacements: 1)
                .write(toFile: file.path, atomically: true, encoding: .utf8)
            let trouble = try WrittenReport(reading: file).trouble(stored)
            #expect(trouble?.hasPrefix("CHANGED: ") == true, "\(form) \(new): \(trouble ?? "nothing")")
        }
        guard form != .json else { return }
        // What comes after the last line is no part of it, and neither is a file without one.
        for other in [text + "<p>more</p>\n", String(text.dropLast(30)), ""] {
            try other.write(toFile: file.path, atomically: true, encoding: .utf8)
            #expect(throws: WorkError.self) { try WrittenReport(reading: file) }
        }
        try text.replacing("\"version\":\"\(VersionCommand.crossfade)\"", with: "\"version\":\"0.0.1\"")
            .replacing("26", with: "27").write(toFile: file.path, atomically: true, encoding: .utf8)
        let trouble = try WrittenReport(reading: file).trouble(stored)
        #expect(trouble?.hasPrefix("UNKNOWN: Crossfade 0.0.1 wrote it") == true, "\(trouble ?? "nothing")")
    }

    @Test func noFormHasControlCharacters() {
        let report = Self.report(Self.receipt())
        for text in [report.text, report.markdown, report.html] {
            let control = text.unicodeScalars.first { $0.value < 0x20 && $0 != "\n" || $0 == "\u{202E}" }
            #expect(control == nil)
        }
    }

    @Test func theVerdictComesFirstAndTheSumsAreThere() {
        let text = Self.report(Self.receipt()).text
        #expect(text.hasPrefix("incidents: DIFFERENT\n  3 of 30 documents are not as they should be.\n"))
        #expect(text.contains("compared  30: equal 26, missing 2, different 1, settling 1\n"))
        #expect(text.contains("verified up to  3:17\n"))
        #expect(text.contains("partition 3 ends at 19: the application's group stands at 15\n"))
        #expect(text.hasSuffix("\nnext: crossfade verify 'my recipe.yaml' --repair"))
        let totals = Self.receipt().totals
        #expect(ReceiptReport.lines(totals).reduce(0) { $0 + $1.count } == totals.compared)
        #expect(Self.report(Self.receipt()).html.contains("all 1,234,567 read"))
    }

    @Test func whatToDoNextFollowsFromTheVerdict() {
        func next(_ verdict: Verdict, _ change: (inout Receipt) -> Void = { _ in }) -> [String] {
            var receipt = Self.receipt(verdict)
            change(&receipt)
            return Self.report(receipt).next
        }
        #expect(next(.equal) == [])
        #expect(next(.settling) == ["crossfade verify 'my recipe.yaml' --since r1"])
        #expect(next(.settling) { $0.openUnlisted = 1 } == ["crossfade verify 'my recipe.yaml'"])
        #expect(next(.incomplete) == ["crossfade verify 'my recipe.yaml'"])
        #expect(
            next(.different) { $0.basis = .log } == ["crossfade verify 'my recipe.yaml' --against log --repair"])
        var listed = Self.report(Self.receipt())
        listed.listsRepair = true
        #expect(listed.next == ["crossfade verify 'my recipe.yaml' --repair --yes"])
        var empty = Self.receipt(.empty)
        empty.indices[0].totals = ParityTotals()
        #expect(Self.report(empty).text.contains("verify: { empty: accept }"))
        empty.indices.append(Self.receipt(.equal).indices[0])
        #expect(Self.report(empty).text.contains("say `empty: accept` in the entry of incidents-v2"))
        #expect(ExitCode(.equal) == .done && ExitCode(.different) == .differs)
        for verdict in [Verdict.settling, .incomplete, .empty] { #expect(ExitCode(verdict) == .failed) }
    }

    /// What a repair has left is not repaired by the same command again.
    @Test func whatToDoAfterARepair() {
        func next(
            _ left: [RepairDoubt: Int], performed: Bool = true, written: Int = 0, trusts: Bool = false,
            knows: Bool = true
        ) -> [String] {
            var receipt = Self.receipt()
            var repair = RepairReport(isPerformed: performed)
            var counts = RepairReport.Counts()
            (counts.left, counts.written) = (left, written)
            repair.places[.init(entry: 0, kind: .extra)] = counts
            receipt.repair = repair
            if !knows { receipt.positions[0].application = nil }
            var report = Self.report(receipt)
            (report.listsRepair, report.trustsSource) = (!performed, trusts)
            return report.next.map { $0.replacing("crossfade verify 'my recipe.yaml'", with: "") }
        }
        #expect(next([.extraNotProved: 1]) == [" --repair --trust-source"])
        #expect(next([.extraNotProved: 1], performed: false) == [" --repair --trust-source"])
        #expect(next([.extraNotProved: 1], performed: false, written: 2) == [" --repair --yes"])
        #expect(next([:], performed: false, written: 2, trusts: true) == [" --repair --trust-source --yes"])
        #expect(next([.extraNotProved: 1], knows: false) == [])
        #expect(next([.logAgrees: 1]) == [])
        #expect(next([.logAgrees: 1], written: 2) == [" --repair"])
        var receipt = Self.receipt(.different)
        var repair = RepairReport(isPerformed: false)
        repair.places[.init(entry: 0, kind: .different)] = RepairReport.Counts()
        repair.places[.init(entry: 0, kind: .different)]?.left = [.logAgrees: 2]
        receipt.repair = repair
        #expect(Self.report(receipt).text.contains("mend these documents on the old side"))
        #expect(ReceiptEntry(receipt, digest: "").oldSideDiffers == 2)
    }

    @Test func whatDoesNotRunIsStartedFirst() {
        func report(_ verdict: Verdict, _ needs: [Receipt.Need]) -> ReceiptReport {
            var receipt = Self.receipt(verdict)
            receipt.needs = needs
            return Self.report(receipt)
        }
        #expect(
            report(.settling, [.follow, .indexer]).next
                == ["crossfade follow 'my recipe.yaml'", "crossfade verify 'my recipe.yaml' --since r1"])
        #expect(
            report(.different, [.copy]).next
                == ["crossfade copy 'my recipe.yaml'", "crossfade verify 'my recipe.yaml'"])
        #expect(report(.settling, [.indexer]).next == ["crossfade verify 'my recipe.yaml' --since r1"])
        #expect(report(.settling, [.indexer]).text.contains("next: start the application's indexer"))
    }

    /// Both sides are counted one after the other, while the application writes.
    @Test func whatCommandsExplainDoesNotFrighten() {
        var receipt = Self.receipt(.equal)
        receipt.indices[0].fields = [Receipt.FieldCount(field: "title", source: 30, target: 27)]
        receipt.indices[0].histogram = [Receipt.Bar(from: 0, source: 30, target: 27)]
        #expect(Self.report(receipt).text.contains("search    incidents-v2: title is found in 30 documents"))
        #expect(Self.report(receipt).html.contains("class=\"mark\""))
        #expect(Self.report(receipt).markdown.contains("Periods"))
        receipt.meanwhile = 3
        let report = Self.report(receipt)
        #expect(!report.text.contains("  search") && !report.html.contains("class=\"mark\""))
        #expect(!report.markdown.contains("Periods") && !report.html.contains("tr class=\"bad\"><th>new side"))
        #expect(report.text.contains("counted before they were read; 3 commands came meanwhile"))
    }

    @Test func aComparisonWithTheLogSaysSo() {
        var receipt = Self.receipt()
        (receipt.basis, receipt.source) = (.log, nil)
        receipt.examples[0].kind = .extra
        receipt.indices[0].totals.findings[.extra] = 1
        let text = Self.report(receipt).text
        #expect(text.contains("the new side has it, the log has not"))
        #expect(text.contains("read 1234567 documents of the log, 11 of 12 of the new side"))
    }

    @Test func markdownTablesKeepTheirColumns() {
        let lines = Self.report(Self.receipt()).markdown.split(separator: "\n", omittingEmptySubsequences: false)
        var columns = 0
        for line in lines {
            guard line.hasPrefix("|") else {
                columns = 0
                continue
            }
            let bars = line.replacing("\\|", with: "").count { $0 == "|" }
            if columns > 0 { #expect(bars == columns, "\(line)") }
            columns = bars
        }
        #expect(ReceiptReport.code("a`b") == "``a`b``" && ReceiptReport.code("`") == "`` ` ``")
    }

    @Test func listedReceiptsOfOtherWorkAreCalledSo() {
        var receipt = Self.receipt()
        receipt.since = "r0"
        let list = ReceiptList(
            migration: "incidents", recipe: "r.yaml", fingerprint: "f2",
            receipts: [ReceiptEntry(receipt, digest: "d")], now: 1_793_491_263_000)
        #expect(
            list.text.hasSuffix("1 min 2 s  30        3      1         of other work than is confirmed now, since r0"))
        #expect(list.json["receipts"]?[0]?["current"] == false && list.json["receipts"]?[0]?["age_seconds"] == 62)
    }

    @Test func numbersAreGrouped() {
        #expect([0, 999, 1000, -1_234_567].map { HTML.grouped($0) } == ["0", "999", "1,000", "-1,234,567"])
        #expect(HTML.grouped(.min) == "-9,223,372,036,854,775,808")
    }
}
