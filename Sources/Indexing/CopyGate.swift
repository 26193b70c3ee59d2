/// Whether the copy's alias takes writes, as the state remembers it (promise P5 in docs/architecture.md: a page that
/// comes after the copy has ended is refused by the cluster itself).
///
/// The words in -ing are recorded before the alias is changed, the others after it. So a crash in between leaves a word
/// that says what the next copy has to do again.
public enum CopyGate: String, Sendable, CaseIterable {
    case closed, opening, open, closing

    /// One step of opening or closing, to be performed in the order given.
    public enum Step: Sendable, Equatable {
        /// Write this word into the state.
        case record(CopyGate)
        /// Let the alias of every target index take writes.
        case openAliases
        /// Let the alias of every target index refuse writes.
        case closeAliases
        /// Write into the state, at once, that the alias is closed and that the copy is finished.
        case recordFinished
    }

    /// What opens the gate for a copy that begins or goes on.
    /// - Parameter copyIsFinished: whether the state holds the copy as finished.
    public func stepsToOpen(copyIsFinished: Bool) -> [Step] {
        // Already open for an unfinished copy. Still the alias is set: somebody may have changed it by hand.
        if self == .open, !copyIsFinished { return [.openAliases] }
        return [.record(.opening), .openAliases, .record(.open)]
    }

    /// What closes the gate when every slice is recorded. The copy counts as finished only after the alias is closed.
    public static let stepsToClose: [Step] = [.record(.closing), .closeAliases, .recordFinished]
}
