import JSONText

/// Date math: `now-1h/d`, `2026-01-01||+1M`, or only a date of the formats.
struct DateMath {
    var formats: DateFormats
    var now: Int64
    /// Milliseconds ahead of UTC, for dates without a zone and for rounding.
    var zone: Int64 = 0

    func milliseconds(_ text: String, roundsUp: Bool) -> Int64? {
        if text.hasPrefix("now") { return compute(now, Array(text.dropFirst(3)), roundsUp: roundsUp) }
        let parts = text.split(separator: "||", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return date(text, roundsUp: roundsUp) }
        return date(String(parts[0]), roundsUp: false).flatMap {
            compute($0, Array(parts[1]), roundsUp: roundsUp)
        }
    }

    private func date(_ text: String, roundsUp: Bool) -> Int64? {
        guard let time = formats.milliseconds(text, roundsUp: roundsUp) else { return nil }
        let namesZone = text.hasSuffix("Z") || text.suffix(6).contains("+") || text.dropFirst(11).contains("-")
        return namesZone || Int64(text).map({ $0 > 9999 }) == true ? time : time - zone
    }

    private func compute(_ start: Int64, _ operations: [Character], roundsUp: Bool) -> Int64? {
        var time = start
        var at = 0
        while at < operations.count {
            let sign = operations[at]
            at += 1
            guard "+-/".contains(sign) else { return nil }
            let digits = operations[at...].prefix { $0.isASCII && $0.isNumber }
            at += digits.count
            guard let count = digits.isEmpty ? 1 : Int64(String(digits)), at < operations.count else { return nil }
            let unit = operations[at]
            at += 1
            let local = CalendarTime(time + zone)
            if sign == "/" {
                guard count == 1, let floor = local.floored(to: unit) else { return nil }
                guard roundsUp else {
                    time = floor.milliseconds - zone
                    continue
                }
                guard let next = floor.adding(1, unit) else { return nil }
                time = next.milliseconds - 1 - zone
            } else {
                guard let moved = local.adding(sign == "-" ? -count : count, unit) else { return nil }
                time = moved.milliseconds - zone
            }
        }
        return time
    }
}
