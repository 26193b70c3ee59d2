import Cutover
import Runtime
import Synchronization

/// How far a `crossfade run` is, for those who watch it. Any thread may ask.
package final class RunBoard: Sendable {
    package enum Mark: String, Sendable { case next, now, done, failed }

    package struct Line: Sendable, Equatable {
        package var step: RunMachine.Step
        package var mark = Mark.next
        /// What it came to, or how far it is.
        package var words = ""
        /// Seconds that it took; nil: it is not over.
        package var seconds: Double?
        /// By the monotonic clock, milliseconds.
        fileprivate var began: Int64 = 0
    }

    private let lines: Mutex<[Line]>

    /// `hasCommands`: else there is nothing to replay or to follow, and copies keep the new side current.
    package init(_ goal: RunMachine.Goal, _ hasCommands: Bool = true) {
        let last: RunMachine.Step =
            switch goal {
            case .initialised: .initialise
            case .copied: .copy
            case .replayed: .replay
            case .verified: .verify
            case .ready, .rolledOver: .rollover
            }
        let left: Set<RunMachine.Step> = hasCommands ? [.delta] : [.replay, .follow]
        let steps = (RunMachine.Step.allCases.prefix { $0 != last } + [last]).filter { !left.contains($0) }
        lines = Mutex(steps.map { Line(step: $0) })
    }

    package var all: [Line] { lines.withLock { $0 } }

    func begin(_ step: RunMachine.Step, _ words: String = "") {
        change(step) { ($0.mark, $0.words, $0.began) = (.now, words, MonotonicClock.milliseconds()) }
    }

    func end(_ step: RunMachine.Step, _ mark: Mark, _ words: String) {
        change(step) { line in
            // What was found done takes no time.
            if line.mark == .now { line.seconds = Double(MonotonicClock.milliseconds() - line.began) / 1000 }
            (line.mark, line.words) = (mark, words)
        }
    }

    /// What was found done, before this run or by others.
    func find(_ step: RunMachine.Step, _ words: String) {
        change(step) { if $0.mark == .next { ($0.mark, $0.words) = (.done, words) } }
    }

    /// What a step that goes on says of itself.
    func tell(_ step: RunMachine.Step, _ words: String) { change(step) { $0.words = words } }

    /// Progress of a command. One that is no step of its own belongs to the step that is under way.
    package func progress(_ command: String, _ words: String) {
        lines.withLock { lines in
            let own = lines.firstIndex { $0.step.rawValue == command && $0.mark == .now }
            guard let place = own ?? lines.lastIndex(where: { $0.mark == .now }) else { return }
            lines[place].words = own == nil ? "\(command): \(words)" : words
        }
    }

    private func change(_ step: RunMachine.Step, _ body: (inout Line) -> Void) {
        lines.withLock { lines in
            if let place = lines.firstIndex(where: { $0.step == step }) { body(&lines[place]) }
        }
    }
}
