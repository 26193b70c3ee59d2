import Cutover
import CutoverWork
import Foundation
import Migration
import Recipe
import Runtime
import Synchronization
import Telemetry

/// The steps of a run at the end of the terminal, below the log lines: what is done, what is under way and how far, and
/// what comes next.
final class RunScreen: Sendable {
    private let board: RunBoard
    private let title: String
    private let began = MonotonicClock.milliseconds()
    private let isOpen = Mutex(false)
    private let thread = Mutex<JoinableThread?>(nil)

    init(_ board: RunBoard, _ recipe: Recipe, _ goal: RunMachine.Goal) {
        self.board = board
        title = "crossfade run \(recipe.name), until \(goal.rawValue)"
    }

    /// Shows it, until ``close()``.
    func open() {
        isOpen.withLock { $0 = true }
        Progress.screen.withLock { $0 = { [board] command, line in board.progress(command, line) } }
        let drawing = JoinableThread("cf-screen") { [self] in
            while isOpen.withLock({ $0 }) {
                StandardStreams.showFooter(Self.lines(title, seconds: seconds, board.all))
                Thread.sleep(forTimeInterval: 0.25)
            }
        }
        thread.withLock { $0 = drawing }
    }

    private var seconds: Double { Double(MonotonicClock.milliseconds() - began) / 1000 }

    /// Takes it off the terminal. Twice is harmless.
    func close() {
        isOpen.withLock { $0 = false }
        thread.withLock { $0 }?.join()
        StandardStreams.showFooter([])
    }

    static func lines(_ title: String, seconds: Double, _ steps: [RunBoard.Line]) -> [String] {
        ["", "\(title); \(Summary.duration(seconds)); Ctrl-C stops it, and the same command goes on"]
            + RunText.lines(steps)
    }
}
