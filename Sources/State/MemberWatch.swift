import Runtime

/// Finds out which of the listed members live. It does not compare the clocks of two machines: a member lives when its
/// report changes while we look, and has ended when it does not for longer than members are silent. Only a process of
/// this machine can be judged at once.
package struct MemberWatch: Sendable {
    package enum Verdict: Sendable, Equatable {
        case alive([MemberReport])
        /// It has to be looked again.
        case unknown
        case none
    }

    /// A live member writes a report every 10 s. Milliseconds of silence after which it has ended, or stands still and
    /// looks at the state before it writes anything again.
    package static let silence: Int64 = 35_000
    /// A member whose report looks old may be one of a machine whose clock is wrong. So long it is watched, in
    /// milliseconds.
    package static let doubt: Int64 = 12_000

    private struct Seen {
        var updated: Int64
        var until: Int64
    }

    private var seen: [String: Seen] = [:]

    package init() {}

    /// - Parameters:
    ///   - reports: those of the members that matter, as they are now.
    ///   - fate: what this machine knows of a process.
    ///   - wall: milliseconds since 1970, by our clock; only to tell reports that look old.
    ///   - now: milliseconds of a monotonic clock.
    package mutating func look(
        _ reports: [MemberReport], fate: (MemberReport) -> ProcessMark.Fate, wall: Int64, now: Int64
    ) -> Verdict {
        var alive: [MemberReport] = []
        var isUnknown = false
        for report in reports {
            switch fate(report) {
            case .runs: alive.append(report)
            case .isGone: continue
            case .unknown:
                guard let known = seen[report.member] else {
                    let isOld = report.isStale(now: wall)
                    seen[report.member] = Seen(
                        updated: report.updated, until: now + (isOld ? Self.doubt : Self.silence))
                    isUnknown = true
                    continue
                }
                if report.updated != known.updated {
                    alive.append(report)
                } else if now < known.until {
                    isUnknown = true
                }
            }
        }
        if !alive.isEmpty { return .alive(alive) }
        return isUnknown ? .unknown : .none
    }
}
