/// How a span of time is cut into bars of the same length, at a length that people know.
package enum HistogramBars {
    private static let second: Int64 = 1000
    private static let day: Int64 = 86_400_000
    private static let lengths: [Int64] = [
        1, 10, 100, second, 10 * second, 60 * second, 600 * second, 3600 * second, 6 * 3600 * second, day, 7 * day,
        30 * day, 91 * day, 365 * day, 3650 * day, 36_500 * day, 365_000 * day,
    ]

    /// Where at most `most` bars begin and end that hold all of `first...last`, in milliseconds since 1970. Empty if
    /// there is no such span. Bars begin at multiples of their length.
    package static func between(_ first: Int64?, _ last: Int64?, atMost most: Int64) -> [(from: Int64, to: Int64)] {
        guard let first, let last, first <= last, most > 1 else { return [] }
        let (span, isTooLong) = last.subtractingReportingOverflow(first)
        guard !isTooLong, first > .min / 4, last < .max / 4 else { return [] }
        // A span may touch one bar more than its length says.
        let known = lengths.first { span / $0 + 2 <= most }
        let length = known ?? span / (most - 1) + 1
        let rest = first % length
        var start = first - (rest < 0 ? rest + length : rest)
        var bars: [(from: Int64, to: Int64)] = []
        while start <= last {
            bars.append((start, start + length))
            start += length
        }
        return bars
    }
}
