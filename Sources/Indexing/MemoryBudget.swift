/// How `limits.memory` is shared out (P10 in docs/architecture.md). Each number is a limit that its user enforces. The
/// rest of `limits.memory` is for what one record and one request need beyond these numbers, so that the process stays
/// near the limit even with documents of tens of megabytes. A single thing larger than its share passes alone.
package struct MemoryBudget: Sendable {
    /// The recipe's `limits.memory`, in bytes.
    package let limit: Int

    package init(limit: Int) {
        self.limit = limit
    }

    /// Bytes between reading and acknowledgement: nothing more is read while so many are held (``Pipeline/isFull``).
    package var inFlight: Int { limit / 2 }
    /// Bytes that wait for a worker. More of them would make nothing faster.
    package var queued: Int { min(8 << 20, limit / 16) }
    /// Bytes of the bulk requests under way (``BulkSink/submit(_:)``).
    package var requests: Int { limit / 2 }
    /// Bytes that one read of merge bases aims at (``PartialUpdateDriver``).
    package var reading: Int { min(8 << 20, limit / 16) }
    /// Bytes of dead letters that Kafka has not acknowledged.
    package var letters: Int { limit / 8 }
    /// Bytes of buffers that are kept for the next batch.
    package var idle: Int { limit / 16 }
    /// Bytes that librdkafka prefetches, of all partitions together. Measured: 8 MiB is as fast as any more, and below
    /// 4 MiB the reading becomes slow.
    package var prefetched: Int { min(8 << 20, max(4 << 20, limit / 32)) }
    /// Bytes of one fetch response of one broker, as they are on the wire.
    package var fetch: Int { min(8 << 20, max(1 << 20, limit / 32)) }
    /// Bytes of the largest buffer that stays in the heap when it is freed: what ordinary fetch responses and bulk
    /// bodies need.
    package var reusable: Int { 2 * fetch }
    /// Bytes free at the end of the heap that are not given back.
    package var spare: Int { limit / 4 }
    /// What a recipe's own librdkafka property may take at most.
    package var ownProperty: Int { limit / 4 }
}
