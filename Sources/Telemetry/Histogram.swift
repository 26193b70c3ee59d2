import Synchronization

/// Counts observations in fixed buckets. An observation is a relaxed atomic addition to one bucket and one to the sum.
package final class Histogram: Metric {
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
    ///   - bounds: the upper bounds of the buckets, ascending. One more bucket without a bound follows.
    ///   - scale: the sum is a whole number of units divided by this, e.g. 1e9 for nanoseconds.
    package init(_ name: String, _ help: String, _ bounds: [Double], scale: Double = 1) {
        (self.name, self.help, self.bounds, self.scale) = (name, help, bounds, scale)
        counts = (0...bounds.count).map { _ in Atomically() }
    }

    /// Counts a value. A negative one, and one that is not a finite number, is ignored.
    package func observe(_ value: Double) {
        guard value >= 0, value.isFinite else { return }
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count].value.wrappingAdd(1, ordering: .relaxed)
        sum.value.wrappingAdd(Int(min(value * scale, 1e15)), ordering: .relaxed)
    }

    /// The present figures. The sum may lack an observation that the counts have, or the other way round.
    package var present: HistogramFigures {
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

/// The figures of a histogram at one moment.
package struct HistogramFigures: Sendable, Equatable {
    /// The upper bounds of the buckets, ascending.
    package let bounds: [Double]
    /// The observations in each bucket. There is one more bucket than there are bounds.
    package let counts: [Int]
    package let sum: Double

    package init(bounds: [Double], counts: [Int], sum: Double) {
        (self.bounds, self.counts, self.sum) = (bounds, counts, sum)
    }

    package var count: Int { counts.reduce(0, +) }

    /// The observations up to each bound, which is how Prometheus counts.
    package var cumulative: [(bound: Double, count: Int)] {
        var sum = 0
        return zip(bounds, counts).map { bound, count in
            sum += count
            return (bound, sum)
        }
    }

    /// The value below which `share` (0...1) of the observations lie; nil without observations. It assumes that the
    /// observations are spread evenly in their bucket. It is never above the last bound.
    package func quantile(_ share: Double) -> Double? {
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

    /// The observations since `earlier`, which must be figures of the same histogram.
    package func since(_ earlier: HistogramFigures) -> HistogramFigures {
        guard earlier.counts.count == counts.count else { return self }
        return HistogramFigures(
            bounds: bounds, counts: zip(counts, earlier.counts).map { max(0, $0 - $1) }, sum: max(0, sum - earlier.sum))
    }
}
