import Failures
import Foundation
import JSONText
import Parity

/// What the last line of a receipt's HTML or Markdown file says about how it was made: with it, the file can be made
/// again from the receipt in the state, and compared. A comment, which no reader of the page sees.
struct ReportSeal: Sendable, Equatable {
    private static let head = "<!-- crossfade report "
    private static let tail = " -->"

    var receipt: String
    /// Of the Crossfade that wrote the file. Another one may word things otherwise.
    var version: String
    var recipe: String
    var listsRepair: Bool
    var trustsSource: Bool

    init(_ report: ReceiptReport) {
        (receipt, version, recipe) = (report.receipt.id, VersionCommand.crossfade, report.recipe)
        (listsRepair, trustsSource) = (report.listsRepair, report.trustsSource)
    }

    var line: String {
        let json: JSONValue = [
            "receipt": .string(receipt), "version": .string(version), "recipe": .string(recipe),
            "lists_repair": .bool(listsRepair), "trusts_source": .bool(trustsSource),
        ]
        // Two hyphens could end the comment.
        return Self.head + json.text().replacing("--", with: "-\\u002d") + Self.tail
    }

    /// nil: that is no such line.
    init?(line: Substring) {
        guard line.hasPrefix(Self.head), line.hasSuffix(Self.tail), line.count > Self.head.count + Self.tail.count,
            let json = try? JSONValue(parsing: String(line.dropFirst(Self.head.count).dropLast(Self.tail.count))),
            let receipt = json["receipt"]?.string, let version = json["version"]?.string,
            let recipe = json["recipe"]?.string, let listsRepair = json["lists_repair"]?.bool,
            let trustsSource = json["trusts_source"]?.bool
        else { return nil }
        (self.receipt, self.version, self.recipe) = (receipt, version, recipe)
        (self.listsRepair, self.trustsSource) = (listsRepair, trustsSource)
    }

    /// The seal at the end of a file; nil: it has none.
    static func of(_ text: String) -> ReportSeal? {
        text.split(separator: "\n", omittingEmptySubsequences: true).last.flatMap(ReportSeal.init(line:))
    }
}

/// A file that `--report` wrote, read back to find out whether somebody has changed it.
struct WrittenReport: Sendable {
    let file: ReceiptFile
    /// The id of the receipt that it says it is of.
    let receipt: String
    private let text: String
    private let seal: ReportSeal?

    init(reading file: ReceiptFile) throws(WorkError) {
        self.file = file
        do {
            text = try String(contentsOf: URL(fileURLWithPath: file.path), encoding: .utf8)
        } catch {
            throw WorkError(.files, "\(file.path) could not be read", underlying: error.localizedDescription)
        }
        seal = file.form == .json ? nil : ReportSeal.of(text)
        let id = file.form == .json ? (try? JSONValue(parsing: text))?["receipt"]?.string : seal?.receipt
        guard let id else {
            throw WorkError(
                .files,
                "\(file.path) does not say of which receipt it is: crossfade --report has not written it so, or its "
                    + (file.form == .json ? "member `receipt`" : "last line") + " is lost")
        }
        receipt = id
    }

    /// What of the file is not as the receipt says it; nil: nothing. Of JSON, what to type next is left out, and how it
    /// is laid out.
    func trouble(_ receipt: Receipt) -> String? {
        guard let seal else {
            guard var found = (try? JSONValue(parsing: text))?.object else { return "CHANGED: it is no JSON object" }
            found["next"] = nil
            let stored = receipt.json.object ?? JSONObject()
            let unlike = Set(found.map(\.key) + stored.map(\.key)).filter { found[$0] != stored[$0] }.sorted()
            guard !unlike.isEmpty else { return nil }
            return "CHANGED: what it says of \(unlike.joined(separator: ", ")) is not what the receipt says"
        }
        var report = ReceiptReport(receipt, typed: seal.recipe)
        (report.listsRepair, report.trustsSource) = (seal.listsRepair, seal.trustsSource)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(2)
        let expected = file.form.text(report).split(separator: "\n", omittingEmptySubsequences: false).dropLast(2)
        guard Array(lines) != Array(expected) else { return nil }
        guard seal.version == VersionCommand.crossfade else {
            return "UNKNOWN: Crossfade \(seal.version) wrote it. This is \(VersionCommand.crossfade), which may word "
                + "things otherwise: check it with that version, or write it again (crossfade receipts show --report)"
        }
        let place = zip(lines, expected).prefix { $0 == $1 }.count
        return "CHANGED: line \(place + 1) is not what the receipt says"
    }
}
