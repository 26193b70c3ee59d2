import JSONText

/// How hard the target is being worked.
package struct Concurrency: Sendable, Equatable {
    /// Bulk requests that may be under way, and that are.
    package var limit: Int
    package var inFlight: Int
    /// Size of a full batch.
    package var batchDocuments: Int
    package var batchBytes: Int
    /// Answers in which the target said that it has too much to do.
    package var throttled: Int

    package init(limit: Int, inFlight: Int, batchDocuments: Int, batchBytes: Int, throttled: Int) {
        self.limit = limit
        self.inFlight = inFlight
        self.batchDocuments = batchDocuments
        self.batchBytes = batchBytes
        self.throttled = throttled
    }

    package init?(json: JSONValue) {
        func number(_ name: String) -> Int? { json[name]?.int.map { Int(clamping: $0) } }
        guard let limit = number("limit"), let inFlight = number("in_flight"),
            let documents = number("batch_documents"), let bytes = number("batch_bytes"),
            let throttled = number("throttled")
        else { return nil }
        (self.limit, self.inFlight, self.throttled) = (limit, inFlight, throttled)
        (batchDocuments, batchBytes) = (documents, bytes)
    }

    package var json: JSONValue {
        [
            "limit": .number(limit), "in_flight": .number(inFlight), "batch_documents": .number(batchDocuments),
            "batch_bytes": .number(batchBytes), "throttled": .number(throttled),
        ]
    }
}
