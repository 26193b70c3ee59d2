import Commands
import Indexing
import JSONText
import SearchCluster

/// Where a base is looked for: an index, and under which of the names that the document may have there.
///
/// The copy gives a document an id by the recipe's template, and a routing that lies inside the document. The source
/// has it under the id and the routing that it was written with.
package struct BasePlace: Sendable {
    package var index: String
    /// The type to ask for; nil: any.
    package var type: String?
    var template: IDTemplate
    /// Whether the document has the routing of its commands; if not, it was written without one.
    package var isRouted: Bool
    /// It belongs to another entry. A document that is here and not in its own entry would move with the update.
    var isOther = false
    /// The entry whose place it is, and the entries that read the same index of the source; see
    /// ``PipelinePlan/Entry/sharing``.
    var owner = 0
    var sharing: [Int]?

    static func target(_ entry: PipelinePlan.Entry) -> [BasePlace] {
        [BasePlace(index: entry.index, type: nil, template: IDTemplate(nil), isRouted: true)]
    }

    /// The places of the entry with this number.
    package static func source(_ number: Int, _ plan: PipelinePlan) -> [BasePlace] {
        let (entry, format) = (plan.entries[number], plan.format)
        let template = IDTemplate(entry.id)
        let types: [String?] = template.namesType && !entry.types.isEmpty ? entry.types : [nil]
        let routed = format.copiesTakeRoutingFromDocument ? [true, false] : [true]
        return entry.from.flatMap { index in
            types.flatMap { type in
                routed.map {
                    BasePlace(
                        index: index, type: type, template: template, isRouted: $0, owner: number,
                        sharing: entry.sharing[index])
                }
            }
        }
    }

    /// The id and the routing under which to ask for the base; nil: this place cannot have it.
    func name(_ fetch: LaneFetch) -> (id: [UInt8], routing: [UInt8]?)? {
        name(fetch.id, routing: fetch.routing)
    }

    package func name(_ id: [UInt8], routing wanted: [UInt8]?) -> (id: [UInt8], routing: [UInt8]?)? {
        guard isRouted || wanted != nil else { return nil }
        let routing = isRouted ? wanted : nil
        guard template.text != nil else { return (id, routing) }
        return template.sourceIDs(of: String(decoding: id, as: UTF8.self), types: [type ?? ""]).first.map {
            (Array($0.utf8), routing)
        }
    }

    /// Whether `select` gives the document to another entry that reads the index, or to none.
    func isAnothers(_ source: Bytes, _ format: CommandFormat) -> Bool {
        guard let sharing, let selection = CopySelection(format, among: sharing) else { return false }
        do throws(Reject) {
            return try selection.entry(of: source) != owner
        } catch {
            return false
        }
    }

    /// What a document that was found here is to a partial update.
    enum Finding {
        case base
        /// Another document that has the same id.
        case other
        /// It is copied under another routing, so that the part would write beside it.
        case moved(String)
    }

    /// `routes`: nil where copied documents have no other routing than the one that they were written with.
    func judge(
        _ document: GotDocument, _ source: Bytes, _ fetch: LaneFetch, _ answer: MultiGetAnswer, _ routes: CopyRouting?
    ) -> Finding {
        guard let routes else { return .base }
        // A get finds by the shard, so also what was written with another routing that leads to it.
        if let quoted = document.routing {
            let routing = ByteBuffer(capacity: 64)
            guard (try? JSONString.unescape(answer.bytes(quoted), into: routing)) != nil else { return .base }
            if fetch.routing?.elementsEqual(routing.bytes) == true { return .base }
            return isRouted ? moved(String(repairing: routing.bytes), fetch) : .other
        }
        do throws(Reject) {
            guard let routing = try routes.routing(of: source) else {
                return fetch.routing == fetch.id ? .base : moved(nil, fetch)
            }
            return fetch.routing?.elementsEqual(routing) == true ? .base : moved(String(repairing: routing), fetch)
        } catch {
            // Its copy is a dead letter, and the part may bring what it lacks.
            return .base
        }
    }

    /// What is wrong with a base of the target that was written with another routing; nil: nothing is. A get finds it
    /// where both lead to one shard, and the part would write under the one with the fields of the other.
    func otherRouting(_ document: GotDocument, _ fetch: LaneFetch, _ answer: MultiGetAnswer) -> String? {
        guard let quoted = document.routing else { return nil }
        let routing = ByteBuffer(capacity: 64)
        guard (try? JSONString.unescape(answer.bytes(quoted), into: routing)) != nil,
            !(fetch.routing ?? fetch.id).elementsEqual(routing.bytes),
            case .moved(let detail) = moved(String(repairing: routing.bytes), fetch)
        else { return nil }
        return detail
    }

    private func moved(_ routing: String?, _ fetch: LaneFetch) -> Finding {
        let has = routing.map { "the routing \($0)" } ?? "no routing"
        let wants = fetch.routing.map { "the routing \(String(decoding: $0, as: UTF8.self))" } ?? "none"
        return .moved("the document in \(index) has \(has), and the partial update has \(wants)")
    }
}
