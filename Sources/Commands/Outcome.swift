/// The final outcome of a record. Every record gets exactly one (promise P6 in `docs/architecture.md`).
public enum Outcome: Int, CaseIterable, Sendable {
    case indexed, deleted, merged, stale, superseded, skipped, deadLettered

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
        }
    }
}
