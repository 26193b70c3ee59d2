import Cutover
import Failures
import Foundation
import Migration
import Recipe
import Runtime
import State

/// Across clusters a program of the user's (`cutover.command`) moves the readers. What became of it is written down
/// before it starts and after it ended, so that nobody takes readers for moved that are not. It may run again.
struct ReadersMove {
    let session: CutoverSession
    let kind: CutoverState.Kind
    private var words: [String]? { session.recipe.cutover.command }

    init(_ kind: CutoverState.Kind, _ session: CutoverSession) { (self.kind, self.session) = (kind, session) }

    /// Before the aliases move, where that comes first: the program is still to run.
    func announce() throws {
        guard words != nil else { return }
        let due = CutoverState.ReadersDue(kind: kind, since: session.now)
        try session.store.update { $0.cutover.readersDue = due }
    }

    /// Runs the program. Returns what a person should know; nil: the recipe names none.
    func run() throws -> String? {
        guard let words else {
            // Whoever takes the program out of the recipe moves the readers by hand.
            if kind == .rollover, try session.state().cutover.readersDue != nil {
                try session.store.update { $0.cutover.readersDue = nil }
                session.tell(.readersMoved, "by hand, said the recipe: it names no cutover.command any more")
            }
            return nil
        }
        try announce()
        do {
            try Hook(key: "cutover.command", words: words, timeout: session.recipe.cutover.timeout)
                .run(session.variables(kind.rawValue))
        } catch {
            let due = CutoverState.ReadersDue(kind: kind, since: session.now, failure: error.message)
            try session.store.update { $0.cutover.readersDue = due }
            session.tell(.readersNotMoved, error.message)
            throw error
        }
        // At a rollback the aliases follow; only then both stand on one side.
        if kind == .rollover { try session.store.update { $0.cutover.readersDue = nil } }
        session.tell(.readersMoved, (kind == .rollover ? "to the new cluster" : "back") + ", by cutover.command")
        return kind == .rollover ? "cutover.command moved the readers" : "cutover.command moved the readers back"
    }
}
