/// How hard the target is being worked, for summary and status.
public struct BulkLoad: Sendable, Equatable {
    /// Bulk requests that may be under way.
    public var limit: Int
    /// Bulk requests that are under way.
    public var inFlight: Int
    /// Size of a full batch.
    public var batchDocuments: Int
    public var batchBytes: Int
    /// Answers in which the target said that it has too much to do.
    public var throttled: Int

    public init(limit: Int = 0, inFlight: Int = 0, batchDocuments: Int = 0, batchBytes: Int = 0, throttled: Int = 0) {
        (self.limit, self.inFlight, self.batchDocuments) = (limit, inFlight, batchDocuments)
        (self.batchBytes, self.throttled) = (batchBytes, throttled)
    }
}
