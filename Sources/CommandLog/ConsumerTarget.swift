import Basics
import CLibrdkafka

/// Receives the callbacks of a consumer.
///
/// `@unchecked Sendable`: the rebalance and commit callbacks come from within polls, so only the poll thread uses it.
final class ConsumerTarget: CallbackTarget, @unchecked Sendable {
    weak var consumer: LogConsumer?
    weak var delegate: (any LogConsumerDelegate)?
    private var events: [LogEvent] = []

    static func register(_ conf: OpaquePointer) {
        rd_kafka_conf_set_rebalance_cb(conf) { rk, err, list, opaque in
            guard let rk else { return }
            CallbackContext.object(opaque, as: ConsumerTarget.self)?.rebalance(rk, err, list)
        }
        rd_kafka_conf_set_offset_commit_cb(conf) { _, err, list, opaque in
            CallbackContext.object(opaque, as: ConsumerTarget.self)?.committed(err, list)
        }
    }

    func takeEvents() -> [LogEvent] {
        defer { events.removeAll() }
        return events
    }

    private func rebalance(
        _ rk: OpaquePointer, _ err: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    ) {
        guard let consumer, let list else {
            if let list, LogConsumer.isCooperative(rk), err != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
                if let error = rd_kafka_incremental_unassign(rk, list) { rd_kafka_error_destroy(error) }
            } else {
                rd_kafka_assign(rk, nil)
            }
            return
        }
        let partitions = PartitionList.elements(list).map(\.partition).sorted()
        guard err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS else {
            let lost = rd_kafka_assignment_lost(rk) != 0
            if lost { consumer.owned.subtract(partitions) }
            // The delegate commits, so lost partitions must be gone before, and the others go after.
            delegate?.revoked(partitions, lost: lost)
            consumer.unassign(partitions)
            return
        }
        do {
            let starts = try delegate?.assigned(partitions) ?? [:]
            let wanted = starts.filter { partitions.contains($0.key) }
            guard wanted.count == partitions.count else {
                let without = partitions.filter { wanted[$0] == nil }
                throw LogError(.invalidSetting, "no start offset was given for partitions \(without)")
            }
            try consumer.assign(wanted)
        } catch {
            consumer.pending =
                error as? LogError ?? LogError(.fatal, "the start offsets could not be determined: \(error)")
            consumer.unassign(partitions)
        }
    }

    private func committed(
        _ err: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    ) {
        guard err != RD_KAFKA_RESP_ERR__NO_OFFSET, let list else { return }
        var failed: LogError?
        if err != RD_KAFKA_RESP_ERR_NO_ERROR {
            failed = LogError(err, doing: "committing offsets")
        } else if let failure = PartitionList.failure(list) {
            failed = LogError(failure.err, doing: "committing offsets of partition \(failure.partition)")
        }
        let offsets = PartitionList.elements(list).map { ($0.partition, $0.offset) }
        events.append(.committed(Dictionary(offsets) { _, last in last }, failed))
    }
}
