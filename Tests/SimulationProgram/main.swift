import Dispatch
import Foundation
import Simulation

/// `crossfade-simulate [--schedules N] [--seed S] [--off SWITCH]`: runs schedules on all cores, says what was seen.
/// Exit codes: 0 no promise was broken (or, with `--off`, one was), 1 the other way round or a check was never made, 2
/// usage.

func usage(_ text: String) -> Never {
    FileHandle.standardError.write(Data((text + "\n").utf8))
    exit(2)
}

var schedules = 100_000
var seed = UInt64.random(in: 1...UInt64.max)
var off: Mechanism?
var arguments = CommandLine.arguments.dropFirst()
while let option = arguments.popFirst() {
    guard let value = arguments.popFirst() else { usage("\(option) needs a value") }
    switch option {
    case "--schedules":
        guard let number = Int(value), number > 0 else { usage("--schedules needs a positive number") }
        schedules = number
    case "--seed":
        guard let number = UInt64(value) else { usage("--seed needs a number") }
        seed = number
    case "--off":
        guard let mechanism = Mechanism(rawValue: value) else {
            usage("--off needs one of: \(Mechanism.allCases.map(\.rawValue).joined(separator: " "))")
        }
        off = mechanism
    default: usage("options are --schedules N, --seed S, --off SWITCH")
    }
}

/// `@unchecked Sendable` because all is touched only under the lock.
final class Tally: @unchecked Sendable {
    private let lock = NSLock()
    private var next = 0
    private(set) var checks = [Int](repeating: 0, count: Check.allCases.count)
    private(set) var refused = 0
    private(set) var ran = 0
    private(set) var failed: (number: Int, violation: Violation)?

    /// The next hundred numbers; nil when there are no more, or one has failed.
    func take(of total: Int) -> Range<Int>? {
        lock.withLock {
            guard next < total, failed == nil else { return nil }
            let range = next..<min(next + 100, total)
            next = range.upperBound
            return range
        }
    }

    func add(ran: Int, checks: [Int], refused: Int, failed: (number: Int, violation: Violation)?) {
        lock.withLock {
            self.ran += ran
            for check in checks.indices { self.checks[check] += checks[check] }
            self.refused += refused
            if let failed, failed.number < self.failed?.number ?? .max { self.failed = failed }
        }
    }
}

let tally = Tally()
let began = Date()
let cores = ProcessInfo.processInfo.activeProcessorCount
DispatchQueue.concurrentPerform(iterations: cores) { [schedules, seed, off] _ in
    let simulation = Simulation()
    while let range = tally.take(of: schedules) {
        var checks = [Int](repeating: 0, count: Check.allCases.count)
        var refused = 0
        var ran = 0
        var failed: (Int, Violation)?
        for number in range where failed == nil {
            let schedule = Simulation.Schedule(seed: Simulation.seed(number, of: seed))
            let result = simulation.run(schedule.setup, schedule.steps, off: off)
            for check in checks.indices { checks[check] += result.checks[check] }
            refused += result.refused == nil ? 0 : 1
            ran += 1
            if let violation = result.violation { failed = (number, violation) }
        }
        tally.add(ran: ran, checks: checks, refused: refused, failed: failed)
    }
}
let seconds = Date().timeIntervalSince(began)
let made = tally.checks.reduce(0, +)
print(
    "seed \(seed)\(off.map { ", without \($0)" } ?? ""): \(tally.ran) schedules in \(String(format: "%.1f", seconds)) "
        + "s "
        + "(\(Int(Double(tally.ran) / max(seconds, 0.001)))/s), \(made) checks, \(tally.refused) schedules refused by "
        + "a rail"
)
for check in Check.allCases { print("  \(check): \(tally.checks[check.rawValue])") }
let silent = Check.allCases.filter { tally.checks[$0.rawValue] == 0 }
if let failed = tally.failed {
    let schedule = Simulation.Schedule(seed: Simulation.seed(failed.number, of: seed))
    print(Simulation().shrink(schedule, failed.violation, off: off, tried: failed.number + 1).text)
} else if off == nil, tally.ran >= 1_000, !silent.isEmpty {
    print("never made: \(silent.map { "\($0)" }.joined(separator: ", "))")
    exit(1)
} else {
    print("no promise was broken")
}
exit((tally.failed == nil) == (off == nil) ? 0 : 1)
