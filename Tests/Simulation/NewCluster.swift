/// The new cluster: external versions, deletes that are forgotten, aliases of the copy.
struct NewCluster {
    struct Slot {
        /// 0: no document.
        var version: Int64 = 0
        var body: [UInt8] = []
        var isTombstone = false
        /// Under which it was written.
        var routing = Document.absent
        /// When the tombstone was written.
        var written = 0
        /// Version of a real delete, for as long as it is remembered.
        var deleted: Int64 = 0
        /// The highest version that was ever applied.
        var highest: Int64 = 0
    }
    /// What becomes of one item of a bulk request.
    enum Status {
        case applied, conflict, refused, closed, throttled

        // As Elasticsearch says it.
        var code: Int {
            switch self {
            case .applied: 200
            case .conflict: 409
            case .refused, .closed: 400
            case .throttled: 429
            }
        }
        var type: String? {
            switch self {
            case .applied: nil
            case .conflict: "version_conflict_engine_exception"
            case .refused: "mapper_parsing_exception"
            case .closed: "illegal_argument_exception"
            case .throttled: "es_rejected_execution_exception"
            }
        }
        var reason: String? {
            self == .closed ? "no write index is defined for alias [to-crossfade-COPY]" : nil
        }
    }
    /// The answer to a bulk request.
    enum Answer {
        case items([Status])
        /// Refused as a whole, with 413.
        case tooLarge
    }

    var slots: [Slot]
    /// The copy round whose alias takes writes; 0: none.
    var openRound = 0
    let versions: Bool
    /// A tombstone that is written over itself becomes young.
    var refreshes = true

    /// `orEqual`: `external_gte`.
    mutating func write(_ id: Int, _ version: Int64, _ body: [UInt8], isTombstone: Bool, orEqual: Bool, at now: Int)
        -> Status
    {
        let present = max(slots[id].version, slots[id].deleted)
        guard !versions || version > present || (orEqual && version == present) else { return .conflict }
        slots[id].version = version
        slots[id].body = body
        slots[id].isTombstone = isTombstone
        if refreshes || version != present { slots[id].written = now }
        slots[id].deleted = 0
        slots[id].highest = max(slots[id].highest, version)
        return .applied
    }

    mutating func delete(_ id: Int, _ version: Int64, orEqual: Bool) -> Status {
        let present = max(slots[id].version, slots[id].deleted)
        guard !versions || version > present || (orEqual && version == present) else { return .conflict }
        slots[id].version = 0
        slots[id].body = []
        slots[id].isTombstone = false
        slots[id].deleted = version
        slots[id].highest = max(slots[id].highest, version)
        return .applied
    }

    /// `gc_deletes` has passed, or the node was restarted.
    mutating func forgetDeletes() {
        for id in slots.indices { slots[id].deleted = 0 }
    }
}
