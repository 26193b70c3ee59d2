import Failures
import Foundation
import Runtime

/// The file that `--report` names. The end of its name says its form.
struct ReceiptFile: Sendable {
    enum Form: String, CaseIterable, Sendable {
        case html, md, json

        /// The whole file.
        func text(_ report: ReceiptReport) -> String {
            switch self {
            case .html: report.html + ReportSeal(report).line + "\n"
            case .md: report.markdown + "\n" + ReportSeal(report).line + "\n"
            case .json: report.json.text() + "\n"
            }
        }
    }

    let path: String
    let form: Form

    init(_ path: String) throws(UsageError) {
        let end = URL(fileURLWithPath: path).pathExtension.lowercased()
        guard let form = Form(rawValue: end) else {
            throw UsageError(message: "--report is \"\(path)\"; the file's name must end in .html, .md or .json.")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        // Found out now, and not after hours of reading.
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw UsageError(message: "--report is \"\(path)\"; there is no folder \(folder).")
        }
        (self.path, self.form) = (path, form)
    }

    /// Only its owner may read it: it may hold values of documents.
    func write(_ report: ReceiptReport) throws(WorkError) {
        do throws(PrivateFile.Failure) {
            try PrivateFile.write(Array(form.text(report).utf8), to: path)
        } catch {
            throw WorkError(
                .files, "the receipt could not be written to \(path) (\(error.doing) it)", underlying: error.reason)
        }
    }
}
