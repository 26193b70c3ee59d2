import Commands
import JSONText
import SearchCluster
import Transform

/// The form in which the copy writes a document of the source: its id and routing in the target, its version, and the
/// document in the new schema. Whatever is compared with the copy takes the same form.
///
/// Each thread needs its own. Names that it gives are valid until the next call of ``name(_:of:entry:)``.
package final class CopyForm {
    /// Unescaped; bytes of the page or of a buffer here.
    package typealias Name = (id: Bytes, routing: Bytes?)

    private let entries: [PipelinePlan.Entry]
    private let versions: CopyVersions
    private let routes: CopyRouting
    private let scratch = ByteBuffer(capacity: 1024)
    private let format: CommandFormat
    /// How entries share the documents of an index; nil: a selecting field lies outside them.
    private var selections: [[Int]: CopySelection?] = [:]
    private lazy var transformers = entries.map { Transformer($0.transform) }

    package init(_ plan: PipelinePlan) {
        (entries, format) = (plan.entries, plan.format)
        versions = CopyVersions(plan.format)
        routes = CopyRouting(plan.format)
    }

    /// All of it at once. Appends the new form of the document to `body`; when it throws, `body` is as before. What is
    /// rejected is not copied, but a dead letter.
    package func write(
        _ hit: Hit, of page: Page, entry: Int, into body: ByteBuffer
    ) throws(Reject) -> (id: Bytes, routing: Bytes?, version: Int64) {
        let source = page.bytes(hit.source)
        guard try takes(hit, of: page, entry: entry) else {
            throw Reject(reason: "no_entry", detail: "another entry takes the document, or none does (select)")
        }
        var name = name(hit, of: page, entry: entry)
        let version = try version(of: source, stored: hit.version)
        name.routing = try routing(name, source)
        do throws(TransformError) {
            try transformers[entry].apply(source, into: body)
        } catch {
            throw Reject(reason: error.reason, detail: error.detail)
        }
        return (name.id, name.routing, version)
    }

    /// Whether the entry takes the document. Where several entries read it, `select` decides, as it does for commands.
    package func takes(_ hit: Hit, of page: Page, entry: Int) throws(Reject) -> Bool {
        let sharing = entries[entry].sharing
        guard !sharing.isEmpty, let quoted = hit.index else { return true }
        let index = String(repairing: Bytes(rebasing: page.bytes(quoted).dropFirst().dropLast()))
        guard let among = sharing[index] else { return true }
        let selection = selections[among] ?? CopySelection(format, among: among)
        selections[among] = selection
        guard let selection else { return true }
        return try selection.entry(of: page.bytes(hit.source)) == entry
    }

    /// The id of a hit in the target, and the routing that the source has for it.
    package func name(_ hit: Hit, of page: Page, entry: Int) -> Name {
        scratch.removeAll()
        // Write both before looking at either: the scratch space may move.
        if let template = entries[entry].id {
            fill(template, hit, page)
        } else {
            unescape(page.bytes(hit.id))
        }
        let end = scratch.count
        guard let routing = hit.routing ?? hit.parent else { return (scratch.slice(0..<end), nil) }
        unescape(page.bytes(routing))
        return (scratch.slice(0..<end), scratch.slice(end..<scratch.count))
    }

    /// `stored`: the `_version` that the source gave with the document.
    func version(of source: Bytes, stored: Int64?) throws(Reject) -> Int64 {
        try versions.version(of: source, stored: stored)
    }

    /// The source's own routing, else the one that the commands have inside the document.
    func routing(_ name: Name, _ source: Bytes) throws(Reject) -> Bytes? {
        guard name.routing == nil, routes.isNeeded else { return name.routing }
        return try routes.routing(of: source)
    }

    private func unescape(_ quoted: Bytes) {
        let before = scratch.count
        do {
            try JSONString.unescape(quoted, into: scratch)
        } catch {
            // The server's own text is passed on as it is, and the target judges it.
            scratch.count = before
            scratch.append(Bytes(rebasing: quoted.dropFirst().dropLast()))
        }
    }

    private func fill(_ template: String, _ hit: Hit, _ page: Page) {
        var rest = Substring(template)
        while let brace = rest.firstIndex(of: "{") {
            scratch.append(String(rest[..<brace]))
            rest = rest[brace...]
            if rest.hasPrefix("{type}") {
                if let type = hit.type { unescape(page.bytes(type)) }
                rest = rest.dropFirst(6)
            } else if rest.hasPrefix("{id}") {
                unescape(page.bytes(hit.id))
                rest = rest.dropFirst(4)
            } else {
                scratch.append("{")
                rest = rest.dropFirst()
            }
        }
        scratch.append(String(rest))
    }
}
