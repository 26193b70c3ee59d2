import Indexing
import JSONText

/// As the state and the summary carry it.
extension BulkLoad {
    package init?(json: JSONValue) {
        func number(_ name: String) -> Int? { json[name]?.size }
        guard let limit = number("limit"), let inFlight = number("in_flight"),
            let documents = number("batch_documents"), let bytes = number("batch_bytes"),
            let throttled = number("throttled")
        else { return nil }
        self.init(
            limit: limit, inFlight: inFlight, batchDocuments: documents, batchBytes: bytes, throttled: throttled)
    }

    package var json: JSONValue {
        [
            "limit": .number(limit), "in_flight": .number(inFlight), "batch_documents": .number(batchDocuments),
            "batch_bytes": .number(batchBytes), "throttled": .number(throttled),
        ]
    }
}
