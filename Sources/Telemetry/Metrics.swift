import Synchronization

/// Something that is counted or measured while the work runs.
protocol Metric: Sendable {
    /// The present value, under the name that a scrape gives it.
    var family: MetricFamily { get }
}

/// A number that only grows. An addition is one relaxed atomic operation. It is meant for requests and batches: per
/// record it would cost too much.
package final class Counter: Metric {
    private let name: String
    private let help: String
    /// How many of the counted units make one of the reported unit: 1000 when milliseconds are added and seconds are
    /// reported.
    private let scale: Int
    private let value = Atomic<Int>(0)

    package init(_ name: String, _ help: String, scale: Int = 1) {
        (self.name, self.help, self.scale) = (name, help, scale)
    }

    package func add(_ count: Int = 1) { value.wrappingAdd(count, ordering: .relaxed) }

    package var total: Int { value.load(ordering: .relaxed) }

    var family: MetricFamily {
        var family = MetricFamily(name, .counter, help)
        family.add(scale == 1 ? .whole(Int64(total)) : .real(Double(total) / Double(scale)))
        return family
    }
}

/// The time at which something last happened. It has no value before the first time.
package final class Moment: Metric {
    private let name: String
    private let help: String
    private let milliseconds = Atomic<Int64>(0)

    package init(_ name: String, _ help: String) {
        (self.name, self.help) = (name, help)
    }

    /// - Parameter milliseconds: since 1970.
    package func set(_ milliseconds: Int64) { self.milliseconds.store(milliseconds, ordering: .relaxed) }

    var family: MetricFamily {
        var family = MetricFamily(name, .gauge, help)
        let last = milliseconds.load(ordering: .relaxed)
        if last > 0 { family.add(.real(Double(last) / 1000)) }
        return family
    }
}

/// Counters of one name that differ in one label. The values of the label are fixed. So all counters begin at 0, which
/// makes rates right from the first event on, and there cannot be too many of them.
package final class CounterFamily: Metric {
    private let name: String
    private let help: String
    private let label: String
    private let fixed: [(name: String, value: String)]
    private let names: [String]
    private let counts: [Counter]

    /// - Parameters:
    ///   - values: the values of the label. Any other value counts as the last of them.
    ///   - fixed: more labels, which all counters have.
    package init(
        _ name: String, _ help: String, label: String, _ values: [String],
        fixed: [(name: String, value: String)] = []
    ) {
        (self.fixed, self.name, self.help, self.label) = (fixed, name, help, label)
        names = values
        counts = values.map { _ in Counter(name, help) }
    }

    package func add(_ value: String, _ count: Int = 1) {
        let at = names.firstIndex(of: value) ?? counts.count - 1
        if counts.indices.contains(at) { counts[at].add(count) }
    }

    /// Every value with its count, in the order of the initializer.
    package var totals: [(value: String, count: Int)] { zip(names, counts).map { ($0, $1.total) } }

    /// The counts that are above 0, by value.
    package var present: [String: Int] {
        Dictionary(totals.filter { $0.count > 0 }.map { ($0.value, $0.count) }) { first, _ in first }
    }

    var family: MetricFamily {
        var family = MetricFamily(name, .counter, help)
        for (value, count) in totals { family.add(.whole(Int64(count)), fixed + [(label, value)]) }
        return family
    }
}
