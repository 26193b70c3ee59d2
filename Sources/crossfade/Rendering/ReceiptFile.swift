import Failures
import Foundation

/// The file that `--report` names. The end of its name says its form.
struct ReceiptFile: Sendable {
    enum Form: String, CaseIterable, Sendable { case html, md, json }

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

    func write(_ report: ReceiptReport) throws(WorkError) {
        let text =
            switch form {
            case .html: report.html
            case .md: report.markdown
            case .json: report.json.text() + "\n"
            }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw WorkError(
                .files, "the receipt could not be written to \(path)", underlying: error.localizedDescription)
        }
    }
}
