import CommandLog

/// Whether the brokers answer, and where the log ends as far as they have said: what the one who asks them knows.
///
/// A question that stays without an answer is as telling as an error: a broker that hangs gives none. All times are of
/// a clock that never goes back, in milliseconds.
struct LogContact: Sendable, Equatable {
    /// So long may a question take before it is said that nobody answers.
    static let patience: Int64 = 3000
    /// Ends that are older say nothing of now: whoever asks has been held up.
    static let freshFor: Int64 = 15_000

    /// When the first question was asked that nobody has answered since; nil: the last one was answered.
    private var unanswered: Int64?
    /// What the last question failed with; nil: it was answered, or is still open.
    private var failure: String?
    private var ends: [Int32: Int64] = [:]
    private var endsAt: Int64?

    mutating func ask(now: Int64) { unanswered = unanswered ?? now }

    /// `ends`: what partitions' ends the answer told; nil: it was about something else.
    mutating func answer(_ ends: [Int32: Int64]? = nil, now: Int64) {
        unanswered = nil
        failure = nil
        guard let ends else { return }
        self.ends = ends
        endsAt = now
    }

    /// The question failed. A broker that says no has answered; what it said is still no end.
    mutating func fail(_ error: LogError, now: Int64) {
        ask(now: now)
        switch error.code {
        case .unreachable, .timedOut: failure = LogContact.silence
        // That there is no such topic is judged by who asks.
        case .missingTopic: answer(now: now)
        default: failure = "the brokers do not tell where the log ends: \(error.message)"
        }
    }

    private static let silence = "no broker answers"

    /// What keeps us from knowing the log; nil: nothing does.
    func trouble(now: Int64) -> String? {
        guard let unanswered else { return nil }
        if let failure, failure != Self.silence { return failure }
        guard now - unanswered >= Self.patience else { return nil }
        return "\(Self.silence) (for \((now - unanswered) / 1000) s)"
    }

    /// The end of each partition asked about; nil: it is not known at present.
    func ends(now: Int64) -> [Int32: Int64]? {
        guard trouble(now: now) == nil, let endsAt, now - endsAt <= Self.freshFor else { return nil }
        return ends
    }
}

/// Records that are read, or to be read, and not yet done.
enum Lag {
    /// Of the partitions that are ours; nil when one's end is unknown, or when none is ours: then others may be behind.
    static func of(_ partitions: [PartitionCounts], ends: [Int32: Int64]?) -> Int64? {
        let owned = partitions.filter(\.owned)
        guard let ends, !owned.isEmpty else { return nil }
        var sum: Int64 = 0
        for partition in owned {
            guard let end = ends[partition.partition], let committed = partition.committed else { return nil }
            // What was read meanwhile lies before the end, however old the answer is.
            sum += max(0, max(end, partition.position ?? 0) - committed)
        }
        return sum
    }
}
