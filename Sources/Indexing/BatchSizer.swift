/// How large a bulk request should be: by documents and by bytes, whichever is reached first.
///
/// It starts at 1,000 documents or 512 KiB: real servers liked this best, and it stays in a core's cache on its way. It
/// grows while full batches are answered quickly, and shrinks when they are answered slowly. When the server says that
/// a request is too large (413), it halves, and never comes near that size again.
public struct BatchSizer: Sendable {
    public static let largestBytes = 15_000_000
    public static let largestDocuments = 5_000
    public static let smallestBytes = 16 * 1_024
    /// Batches do not grow beyond this by themselves.
    public static let roomyBytes = 1_048_576
    /// Answers quicker than this make batches grow; milliseconds.
    public static let quick = 150
    /// Answers slower than this make batches shrink; milliseconds.
    public static let slow = 2_000

    /// Documents of a full batch.
    public private(set) var documents: Int
    /// Bytes of a full batch.
    public private(set) var bytes: Int
    private var bytesCeiling = largestBytes

    public init(documents: Int = 1_000, bytes: Int = 512 * 1_024) {
        self.documents = min(max(1, documents), Self.largestDocuments)
        self.bytes = min(max(Self.smallestBytes, bytes), Self.largestBytes)
    }

    /// The size at which a batch is full.
    public var limits: BatchLimits { BatchLimits(documents: documents, bytes: bytes) }

    /// A batch was answered. Only a batch that was nearly full tells something about the right size.
    public mutating func answered(documents: Int, bytes: Int, tookMilliseconds: Int) {
        let nearlyFull = documents * 10 >= self.documents * 9 || bytes * 10 >= self.bytes * 9
        guard nearlyFull, tookMilliseconds >= 0 else { return }
        if tookMilliseconds < Self.quick {
            self.documents = min(Self.largestDocuments, self.documents + max(1, self.documents / 8))
            // Larger batches would make a quick server no faster.
            self.bytes = max(self.bytes, min(bytesCeiling, Self.roomyBytes, self.bytes + self.bytes / 8))
        } else if tookMilliseconds > Self.slow {
            self.documents = max(1, self.documents / 4 * 3)
            self.bytes = max(Self.smallestBytes, self.bytes / 4 * 3)
        }
    }

    /// A request of `bytes` was refused as too large. Its parts may be refused in turn: each refused size is above the
    /// server's limit, so the ceiling stays above half of it, however small the parts become.
    public mutating func tooLarge(bytes refused: Int) {
        bytesCeiling = min(bytesCeiling, max(Self.smallestBytes, refused / 2))
        bytes = min(bytes, bytesCeiling)
    }
}
