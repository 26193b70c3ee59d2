/// The final outcome of a record. Every record gets exactly one (promise P6 in `docs/architecture.md`).
public enum Outcome: Int, CaseIterable, Sendable {
    case indexed, deleted, merged, stale, superseded, skipped, deadLettered
    /// A document of the source that was deleted there between the two requests that read it.
    case gone

    /// How many outcomes there are. A plain number: `allCases.count` would be a call per record.
    @inlinable public static var count: Int { gone.rawValue + 1 }

    /// The name in summaries, metrics and status.
    public var name: String {
        switch self {
        case .indexed: "indexed"
        case .deleted: "deleted"
        case .merged: "merged"
        case .stale: "stale"
        case .superseded: "superseded"
        case .skipped: "skipped"
        case .deadLettered: "dead_lettered"
        case .gone: "gone"
        }
    }
}
