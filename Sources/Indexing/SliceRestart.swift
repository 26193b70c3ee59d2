/// What becomes of a slice of the copy that could not be read to its end.
///
/// A scroll cannot step back, and the server may have given a page away whose answer was lost. So a scroll is never
/// continued after any trouble: the slice is read again from its start, and what is written already stays as it is. An
/// outage of the source is waited out without limit, as one of the target is.
public struct SliceRestart: Sendable, Equatable {
    public enum Trouble: Sendable, Equatable, CaseIterable {
        /// No answer came, or one that says that the source cannot do it for a while.
        case away
        /// The server has dropped the scroll.
        case expired
        /// Documents are missing: some shards failed, or fewer came than were announced.
        case partial
        /// An answer that cannot be understood.
        case unreadable
        /// An answer that is longer than is taken, or for which the server has no memory.
        case tooLarge
        /// There is no such index, or it must not be read. A proxy says so of a cluster that starts, too.
        case refused
        /// The same request fails every time.
        case lasting
    }

    public enum Step: Sendable, Equatable {
        /// Wait, and read the slice again from its start: ``pageSize`` documents a page, ``readsByID``.
        case readAgain(afterMilliseconds: Int)
        case stop
    }

    /// How often a refusal is waited out that came after the source had answered well.
    static let refusalsAllowed = 5

    /// Documents per page.
    public private(set) var pageSize: Int
    /// Whether the scroll is to give only the documents' names, and the documents are fetched by id: the stored text of
    /// one of them makes a whole page unreadable.
    public private(set) var readsByID = false
    /// Whether the slice waits for the source, rather than being read in another way.
    public private(set) var waits = false
    private let namesPerPage: Int
    private var backoff = Backoff(base: 200, cap: 15_000)
    private var refusals = 0
    /// Documents that this reading gave, and the most that any gave.
    private var given = 0
    private var furthest = 0

    public init(pageSize: Int) {
        self.pageSize = max(1, pageSize)
        namesPerPage = max(1, pageSize)
    }

    /// Documents per page, where they have `average` bytes and a page is to have `room` at most. 0: it is not known.
    public static func pageSize(wanted: Int, average: Int, room: Int) -> Int {
        max(1, average > 0 ? min(wanted, room / average) : wanted)
    }

    public static func == (one: SliceRestart, other: SliceRestart) -> Bool {
        (one.pageSize, one.readsByID, one.waits, one.given, one.furthest)
            == (other.pageSize, other.readsByID, other.waits, other.given, other.furthest)
    }

    /// The source gave a page of so many documents.
    public mutating func gave(_ documents: Int) {
        given += documents
        waits = false
        // A source that breaks off at the same place each time is not asked without pause.
        guard given > furthest else { return }
        furthest = given
        refusals = 0
        backoff.reset()
    }

    public mutating func failed(_ trouble: Trouble, using random: inout some RandomNumberGenerator) -> Step {
        let hasAnswered = furthest > 0 || backoff.attempts > 0
        given = 0
        switch trouble {
        case .lasting: return .stop
        case .refused:
            refusals += 1
            guard hasAnswered, refusals <= Self.refusalsAllowed else { return .stop }
        case .unreadable where !readsByID:
            readsByID = true
            return .readAgain(afterMilliseconds: 0)
        case .tooLarge where pageSize > 1:
            pageSize /= 2
            return .readAgain(afterMilliseconds: 0)
        case .tooLarge where !readsByID:
            readsByID = true
            // Names are small, but each request for their documents is to find few that are large.
            pageSize = min(16, namesPerPage)
            return .readAgain(afterMilliseconds: 0)
        case .away, .expired, .partial, .unreadable, .tooLarge: break
        }
        waits = true
        return .readAgain(afterMilliseconds: backoff.next(using: &random))
    }
}
