/// When work of a given size may begin, so that a rate is kept on average: the time that earlier work may take is used
/// up first. Times are milliseconds of any clock.
package struct RateSchedule: Sendable {
    private let documentsPerSecond: Int?
    private let bytesPerSecond: Int?
    /// When the time of all earlier work is used up.
    private var free: Double

    /// - Parameters:
    ///   - documentsPerSecond: nil: no such limit.
    ///   - bytesPerSecond: nil: no such limit.
    package init(documentsPerSecond: Int?, bytesPerSecond: Int?, now: Int64) {
        (self.documentsPerSecond, self.bytesPerSecond) = (documentsPerSecond, bytesPerSecond)
        free = Double(now)
    }

    /// Idle time up to this, in milliseconds, is made up for later: a thread that waits wakes some milliseconds late.
    /// More is lost, so that a long pause allows no burst.
    static let slack = 50.0

    /// When this work may begin; nil: at once.
    package mutating func start(documents: Int, bytes: Int, now: Int64) -> Int64? {
        let cost = max(Self.milliseconds(documents, documentsPerSecond), Self.milliseconds(bytes, bytesPerSecond))
        guard cost > 0 else { return nil }
        let start = max(free, Double(now) - Self.slack)
        free = start + cost
        return start > Double(now) ? Int64(start.rounded(.up)) : nil
    }

    private static func milliseconds(_ amount: Int, _ perSecond: Int?) -> Double {
        perSecond.map { Double(amount) * 1000 / Double(max(1, $0)) } ?? 0
    }
}
