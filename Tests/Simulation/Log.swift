import JSONText

/// What a command does, as the model knows it.
enum Verb: UInt8 { case insert, update, delete }

/// One offset of the simulated log.
struct Entry {
    enum Kind: UInt8 {
        case command
        /// Named in `ignore`.
        case ping
        /// Not JSON: rejected for ever.
        case junk
        /// A transaction's marker, or a record that compaction took.
        case nothing
    }
    enum Transaction: UInt8 { case none, open, committed, aborted }

    var kind: Kind
    var id = 0
    var verb = Verb.insert
    var document = Document()
    var transaction = Transaction.none
    /// The row before, where commands are change events of rows; nil: there was none.
    var former: Document?
    /// The new cluster refuses it until somebody mends that.
    var poison = false
    /// Its text in the log's bytes.
    var text = 0..<0

    /// Whether a reader is given it.
    var isRead: Bool { kind != .nothing && transaction != .aborted }
    var isCommand: Bool { kind == .command && transaction != .aborted }
}

/// One partition: all entries since the beginning. Readers get those from `start` on.
struct Partition {
    var entries: [Entry] = []
    /// Retention took everything before.
    var start = 0
    /// It went backwards, and no process has looked yet. Nothing is written until one has: a log that has grown again
    /// cannot be told from one that never went back (docs/simulation.md).
    var isHeld = false
    /// The later record that made another needless must not be lost.
    var isCompacted = false

    var end: Int { entries.count }
    /// Readers get nothing from the first record of an open transaction on.
    var stable: Int { entries.firstIndex { $0.transaction == .open } ?? entries.count }
}

/// The command topic.
struct CommandTopic {
    var partitions: [Partition]
    let text: ByteBuffer
    private let layout: Layout
    private var serial: Int16 = 100

    init(_ count: Int, layout: Layout, text: ByteBuffer) {
        self.layout = layout
        partitions = Array(repeating: Partition(), count: count)
        for index in 0..<count { partitions[index].entries.reserveCapacity(24) }
        self.text = text
        text.removeAll()
    }

    /// A new value, that no other command has.
    mutating func value() -> Int16 {
        serial += 1
        return serial
    }

    mutating func append(_ partition: Int, _ entry: Entry) {
        var entry = entry
        let start = text.count
        switch entry.kind {
        case .nothing: break
        case .junk: text.append("{\"id\":")
        case .ping where layout.isEvents: text.append("{\"op\":\"m\"}")
        case .command where layout.isEvents: appendEvent(entry)
        case .ping: text.append("{\"id\":\"a\",\"command\":\"Ping\"}")
        case .command:
            text.append("{\"id\":\"")
            text.append(UInt8(ascii: "a") + UInt8(entry.id))
            switch entry.verb {
            case .insert: text.append("\",\"command\":\"Insert\",\"message\":")
            case .update: text.append("\",\"command\":\"Update\",\"message\":")
            case .delete: text.append("\",\"command\":\"Delete\"")
            }
            if entry.verb != .delete { entry.document.write(into: text) }
            text.append(UInt8(ascii: "}"))
        }
        entry.text = start..<text.count
        partitions[partition].entries.append(entry)
    }

    /// A change event of Debezium.
    private func appendEvent(_ entry: Entry) {
        text.append("{\"op\":\"")
        text.append(UInt8(ascii: entry.verb == .delete ? "d" : entry.former == nil ? "c" : "u"))
        text.append("\",\"before\":")
        if let former = entry.former, layout == .rows {
            former.write(into: text)
        } else if entry.former != nil {
            text.append("{\"id\":\"")
            text.append(UInt8(ascii: "a") + UInt8(entry.id))
            text.append("\"}")
        } else {
            text.append("null")
        }
        text.append(",\"after\":")
        if entry.verb == .delete { text.append("null") } else { entry.document.write(into: text) }
        text.append(UInt8(ascii: "}"))
    }
}

/// The old cluster: what it knew before the log begins, and what its own lagging indexer has applied since. It has no
/// versions.
struct OldCluster {
    var documents: [Document?]
    /// Of the application's own group, by partition.
    var position: [Int]
    var committed: [Int]
    /// The offset after the last record that it has ever applied. A crash takes `position` back, not the documents.
    var applied: [Int]
    /// What a search shows: the documents as they were at the last refresh. A get by id shows the documents themselves.
    var visible: [Document?]

    mutating func refresh() { visible = documents }

    static func apply(_ entry: Entry, to document: inout Document?, creates: Bool) {
        switch entry.verb {
        case .insert: document = entry.document
        case .delete: document = nil
        case .update:
            // A part that would move its document is a dead letter.
            if let document, document.kind != entry.document.kind, entry.document.kind != Document.absent { return }
            if document == nil, creates { document = Document() }
            document?.merge(entry.document)
        }
    }
}
