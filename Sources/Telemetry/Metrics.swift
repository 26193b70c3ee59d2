import Synchronization

/// Something that is counted or measured while work runs, under the name that a scrape gives it.
protocol Metric: Sendable {
    /// As it is now.
    var family: MetricFamily { get }
}

/// A number that only grows. One relaxed addition each time; meant for requests and batches, never for records.
public final class Counter: Metric {
    private let name: String
    private let help: String
    /// What one of the unit is counted as, e.g. 1000 where milliseconds are added and seconds are told.
    private let scale: Int
    private let value = Atomic<Int>(0)

    public init(_ name: String, _ help: String, scale: Int = 1) {
        self.name = name
        self.help = help
        self.scale = scale
    }

    public func add(_ count: Int = 1) { value.wrappingAdd(count, ordering: .relaxed) }

    public var total: Int { value.load(ordering: .relaxed) }

    var family: MetricFamily {
        var family = MetricFamily(name, .counter, help)
        family.add(scale == 1 ? .whole(Int64(total)) : .real(Double(total) / Double(scale)))
        return family
    }
}

/// When something last happened; not there before it first did.
public final class Moment: Metric {
    private let name: String
    private let help: String
    private let milliseconds = Atomic<Int64>(0)

    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    /// - Parameter milliseconds: since 1970.
    public func set(_ milliseconds: Int64) { self.milliseconds.store(milliseconds, ordering: .relaxed) }

    var family: MetricFamily {
        var family = MetricFamily(name, .gauge, help)
        let last = milliseconds.load(ordering: .relaxed)
        if last > 0 { family.add(.real(Double(last) / 1000)) }
        return family
    }
}

/// Counters of one name that differ in one label, whose values are known beforehand: all begin at 0, so that a rate is
/// right from the first of each, and there cannot be too many.
public final class CounterFamily: Metric {
    private let name: String
    private let help: String
    private let label: String
    private let fixed: [(name: String, value: String)]
    private let names: [String]
    private let counts: [Counter]

    /// - Parameters:
    ///   - values: of the label; what is none of them counts as the last.
    ///   - fixed: labels that all of them have.
    public init(
        _ name: String, _ help: String, label: String, _ values: [String],
        fixed: [(name: String, value: String)] = []
    ) {
        self.fixed = fixed
        self.name = name
        self.help = help
        self.label = label
        names = values
        counts = values.map { _ in Counter(name, help) }
    }

    public func add(_ value: String, _ count: Int = 1) {
        let at = names.firstIndex(of: value) ?? counts.count - 1
        if counts.indices.contains(at) { counts[at].add(count) }
    }

    /// Every value with its count, in the order given at first.
    public var totals: [(value: String, count: Int)] { zip(names, counts).map { ($0, $1.total) } }

    /// Only what there was.
    public var present: [String: Int] {
        Dictionary(totals.filter { $0.count > 0 }.map { ($0.value, $0.count) }) { first, _ in first }
    }

    var family: MetricFamily {
        var family = MetricFamily(name, .counter, help)
        for (value, count) in totals { family.add(.whole(Int64(count)), fixed + [(label, value)]) }
        return family
    }
}

/// How often which size was seen, in buckets that stay the same: a relaxed addition to one of them and to the sum.
public final class Histogram: Metric {
    private let name: String
    private let help: String
    private let bounds: [Double]
    private let scale: Double
    private let counts: [Atomically]
    private let sum = Atomically()

    private final class Atomically: Sendable {
        let value = Atomic<Int>(0)
    }

    /// - Parameters:
    ///   - bounds: upper bounds of the buckets, ascending; one without a bound comes after them.
    ///   - scale: the sum is kept as a whole number of this part of the unit, e.g. 1e9 for nanoseconds.
    public init(_ name: String, _ help: String, _ bounds: [Double], scale: Double = 1) {
        self.name = name
        self.help = help
        self.bounds = bounds
        self.scale = scale
        counts = (0...bounds.count).map { _ in Atomically() }
    }

    /// What is no number, or negative, is left out.
    public func observe(_ value: Double) {
        guard value >= 0, value.isFinite else { return }
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count].value.wrappingAdd(1, ordering: .relaxed)
        sum.value.wrappingAdd(Int(min(value * scale, 1e15)), ordering: .relaxed)
    }

    /// Count and sum of one moment need not agree on the last observation.
    public var present: HistogramFigures {
        HistogramFigures(
            bounds: bounds, counts: counts.map { $0.value.load(ordering: .relaxed) },
            sum: Double(sum.value.load(ordering: .relaxed)) / scale)
    }

    var family: MetricFamily {
        var family = MetricFamily(name, .histogram, help)
        family.add(.histogram(present))
        return family
    }
}

/// What a histogram holds at one moment.
public struct HistogramFigures: Sendable, Equatable {
    /// Upper bounds of the buckets, ascending.
    public let bounds: [Double]
    /// Observations in each bucket alone, one more than there are bounds.
    public let counts: [Int]
    public let sum: Double

    public init(bounds: [Double], counts: [Int], sum: Double) {
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    public var count: Int { counts.reduce(0, +) }

    /// As Prometheus counts: observations up to each bound.
    public var cumulative: [(bound: Double, count: Int)] {
        var sum = 0
        return zip(bounds, counts).map { bound, count in
            sum += count
            return (bound, sum)
        }
    }

    /// The value below which `share` (0...1) of the observations lie, guessed to be spread evenly in their bucket; nil
    /// without any. Of those beyond the last bound no more is known than that bound.
    public func quantile(_ share: Double) -> Double? {
        let rank = share * Double(count)
        guard count > 0 else { return nil }
        var below = 0
        for (at, bound) in bounds.enumerated() {
            let here = counts[at]
            if here > 0, Double(below + here) >= rank {
                let lower = at > 0 ? bounds[at - 1] : 0
                return lower + (bound - lower) * max(0, rank - Double(below)) / Double(here)
            }
            below += here
        }
        return bounds.last
    }

    /// What came after `earlier`, figures of the same histogram.
    public func since(_ earlier: HistogramFigures) -> HistogramFigures {
        guard earlier.counts.count == counts.count else { return self }
        return HistogramFigures(
            bounds: bounds, counts: zip(counts, earlier.counts).map { max(0, $0 - $1) }, sum: max(0, sum - earlier.sum))
    }
}
