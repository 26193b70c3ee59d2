import CommandLog

/// Whether the brokers answer, and where the log ends by their last answer.
///
/// A question without an answer counts as trouble after a while, because a broker that hangs gives no error. All times
/// are milliseconds of a clock that never goes back.
package struct LogContact: Sendable, Equatable {
    /// How long a question may take before we say that no broker answers, in milliseconds.
    package static let patience: Int64 = 3000
    /// Ends that are older than this, in milliseconds, are no longer believed.
    package static let freshFor: Int64 = 15_000

    /// When the oldest question without an answer was asked; nil: there is none.
    private var unanswered: Int64?
    /// Why the last question failed; nil: it was answered, or is still open.
    private var failure: String?
    private var ends: [Int32: Int64] = [:]
    private var endsAt: Int64?

    package mutating func ask(now: Int64) { unanswered = unanswered ?? now }

    /// A question was answered. `ends`: the ends of partitions, if it asked for them.
    package mutating func answer(_ ends: [Int32: Int64]? = nil, now: Int64) {
        unanswered = nil
        failure = nil
        guard let ends else { return }
        self.ends = ends
        endsAt = now
    }

    /// A question failed. A broker that refuses has answered, but it has told no end.
    package mutating func fail(_ error: LogError, now: Int64) {
        ask(now: now)
        switch error.code {
        case .unreachable, .timedOut: failure = LogContact.silence
        // The caller judges a missing topic.
        case .missingTopic: answer(now: now)
        default: failure = "the brokers do not tell where the log ends: \(error.message)"
        }
    }

    private static let silence = "no broker answers"

    /// Why the end of the log is not known now; nil: it is.
    package func trouble(now: Int64) -> String? {
        guard let unanswered else { return nil }
        if let failure, failure != Self.silence { return failure }
        guard now - unanswered >= Self.patience else { return nil }
        return "\(Self.silence) (for \((now - unanswered) / 1000) s)"
    }

    /// How long ago the brokers told the ends; nil: the ends are not known now.
    package func age(now: Int64) -> Int64? { ends(now: now) == nil ? nil : endsAt.map { now - $0 } }

    /// The end of each partition that was asked for; nil: the ends are not known now.
    package func ends(now: Int64) -> [Int32: Int64]? {
        guard trouble(now: now) == nil, let endsAt, now - endsAt <= Self.freshFor else { return nil }
        return ends
    }
}
