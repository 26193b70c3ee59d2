import Commands

/// All that names a document of a cluster, without the document.
package struct FoundDocument: Sendable, Equatable {
    package var index: String
    package var id: String
    /// Nil when the server has no types.
    package var type: String?
    /// The routing that the document was written with; before 6.0 also its parent.
    package var routing: String?
    /// Its `_version`, where it was asked for.
    package var version: Int64?

    package init(index: String, id: String, type: String?, routing: String?, version: Int64? = nil) {
        (self.index, self.id, self.type, self.routing, self.version) = (index, id, type, routing, version)
    }
}

/// Compares the commands of an entry with the documents of its source: whether the copy will give each document the id
/// and the routing that its commands give it.
package struct IdentityComparison: Sendable {
    package enum Finding: Sendable, Equatable {
        case same
        /// The source has no such document.
        case absent
        /// The copy writes the document with another routing than the command.
        case routing(FoundDocument)
        /// The command's id is the source's, but the recipe's template makes another of it.
        case template(FoundDocument, copied: String)
        /// The source has the document under another spelling of the id.
        case spelling(FoundDocument, IDSpelling)
    }

    package let template: IDTemplate
    /// Whether a document without routing gets the one that its commands have: from the document itself.
    package let takesRoutingFromDocument: Bool
    /// Names that ids may have before them: types, and the texts that select the entry.
    package let types: [String]
    /// How long numbers are among the source's ids, in bytes.
    private let lengths: [Int]
    /// The same text in other Unicode forms.
    private let forms: @Sendable (String) -> [String]

    package init(
        template: IDTemplate, takesRoutingFromDocument: Bool, types: [String], lengths: [Int] = [],
        forms: @escaping @Sendable (String) -> [String] = { _ in [] }
    ) {
        (self.template, self.takesRoutingFromDocument, self.types) = (template, takesRoutingFromDocument, types)
        (self.lengths, self.forms) = (lengths, forms)
    }

    /// The ids to look for in the source.
    package func wanted(_ command: SampledCommand) -> [String] {
        var ids = readings(command).map(\.id)
        if command.unreadKey == nil { ids += template.sourceIDs(of: command.id, types: types) + [command.id] }
        return ids
    }

    /// The spellings that the ids of commands which are the same in the source look like, too. They are ids as they
    /// stand, so that another document with such a reading is another document.
    package func usual(_ findings: [(command: SampledCommand, finding: Finding)]) -> Set<IDSpelling> {
        var usual: Set<IDSpelling> = []
        for (command, finding) in findings where finding == .same { usual.formUnion(readings(command).map(\.spelling)) }
        // Of every id with letters there is one in the other case.
        usual.remove(.letterCase)
        return usual
    }

    private func readings(_ command: SampledCommand) -> [(id: String, spelling: IDSpelling)] {
        let key = command.unreadKey ?? command.key
        let readings = IDSpelling.readings(of: key ?? Array(command.id.utf8), types: types, isKey: key != nil)
        guard command.unreadKey == nil else { return readings }
        return readings + forms(command.id).map { ($0, .form) }
            + IDSpelling.padded(command.id, lengths).map { ($0, .padding) }
            + IDSpelling.remarked(command.id).filter { !$0.isEmpty }.map { ($0, .marks) }
    }

    /// `found`: the documents that the source has for the wanted ids, by their ids.
    package func finding(_ command: SampledCommand, _ found: [String: [FoundDocument]]) -> Finding {
        if command.unreadKey == nil, let finding = exact(command, found) { return finding }
        for (id, spelling) in readings(command) {
            let documents = (found[id] ?? []).filter { document in
                // Two Unicode forms of a text are equal to Swift, and two ids.
                guard document.id.utf8.elementsEqual(id.utf8) else { return false }
                guard spelling == .typed, let type = document.type, types.contains(type) else { return true }
                return command.id.hasPrefix(type)
            }
            if let document = documents.first { return .spelling(document, spelling) }
        }
        return .absent
    }

    private func exact(_ command: SampledCommand, _ found: [String: [FoundDocument]]) -> Finding? {
        let documents = Set(template.sourceIDs(of: command.id, types: types)).flatMap { found[$0] ?? [] }
            .filter { template.id($0.id, type: $0.type).utf8.elementsEqual(command.id.utf8) }
        if documents.contains(where: { isRouted($0, as: command) }) { return .same }
        if let document = documents.first { return .routing(document) }
        guard template.text != nil, let document = found[command.id]?.first else { return nil }
        return .template(document, copied: template.id(document.id, type: document.type))
    }

    private func isRouted(_ document: FoundDocument, as command: SampledCommand) -> Bool {
        if takesRoutingFromDocument, document.routing == nil { return true }
        // A routing that is the id itself is what the cluster takes by itself.
        return Self.effective(document.routing, id: command.id) == Self.effective(command.routing, id: command.id)
    }

    /// The routing, unless it is the id itself, which leads to the same shard as none.
    package static func effective(_ routing: String?, id: String) -> String? { routing == id ? nil : routing }
}

/// What the comparison of a sample found.
package struct IdentityTally: Sendable {
    package private(set) var looked = 0
    package private(set) var same = 0
    package private(set) var absent = 0
    package private(set) var contradictions: [(command: SampledCommand, finding: IdentityComparison.Finding)] = []
    /// How many ids there are of each kind of characters, how many of them are absent, and the first of these.
    private var kinds: [String: (looked: Int, absent: Int, example: SampledCommand?)] = [:]

    package init() {}

    package init(
        _ findings: [(command: SampledCommand, finding: IdentityComparison.Finding)], by comparison: IdentityComparison
    ) {
        let usual = comparison.usual(findings)
        for (command, finding) in findings {
            if case .spelling(_, let spelling) = finding, usual.contains(spelling) {
                add(command, .absent)
            } else {
                add(command, finding)
            }
        }
    }

    package mutating func add(_ command: SampledCommand, _ finding: IdentityComparison.Finding) {
        looked += 1
        let kind = IDShape([command.id]).kinds
        kinds[kind, default: (0, 0, nil)].looked += 1
        if finding == .absent {
            kinds[kind]?.absent += 1
            if kinds[kind]?.example == nil { kinds[kind]?.example = command }
        }
        switch finding {
        case .same: same += 1
        case .absent: absent += 1
        case .routing, .template, .spelling: contradictions.append((command, finding))
        }
    }

    /// Ids of one kind, of which the source lacks most: these may be other ids there.
    package struct MissingKind: Sendable {
        package var kind: String
        package var looked: Int
        package var absent: Int
        package var example: SampledCommand
    }

    /// nil: there is no such kind, or too few ids of it were looked up.
    package var missingKind: MissingKind? {
        kinds.compactMap { kind, found in
            guard let example = found.example, found.looked >= 20, found.absent * 2 > found.looked else { return nil }
            return MissingKind(kind: kind, looked: found.looked, absent: found.absent, example: example)
        }.max { ($0.absent, $1.kind) < ($1.absent, $0.kind) }
    }

    /// Whether the contradictions are too many for a document here and there that was written by hand, or that moved
    /// while it was looked at: one in a hundred.
    package var refuses: Bool { !contradictions.isEmpty && contradictions.count * 100 >= looked - absent }
}
