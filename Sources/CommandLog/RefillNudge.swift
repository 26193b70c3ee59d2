import CLibrdkafka

/// Wakes librdkafka's broker threads when few prefetched records are left.
///
/// Before 2.2 a broker thread that finds the prefetch full looks again only after up to a second, however fast the
/// records are taken. A consumer that is a little slower than the broker would get only 16 MiB per second. To set the
/// credentials wakes every broker thread. It has no other effect, because they are the same as before.
struct RefillNudge {
    private let rk: OpaquePointer
    private let username: String
    private let password: String
    private let needed: Bool
    /// The most records that were waiting since the last wake-up.
    private var highest = 0
    private var last = ContinuousClock.now

    init(rk: OpaquePointer, settings: KafkaSettings) {
        self.rk = rk
        username = settings.passthrough["sasl.username"] ?? ""
        password = settings.passthrough["sasl.password"] ?? ""
        needed = rd_kafka_version() < 0x0202_00ff
    }

    /// To be called after records were taken from `data`.
    mutating func nudge(_ data: OpaquePointer) {
        guard needed else { return }
        let waiting = rd_kafka_queue_length(data)
        highest = max(highest, waiting)
        guard waiting < highest / 2, last.duration(to: .now) > .milliseconds(5) else { return }
        last = .now
        highest = waiting
        if let error = rd_kafka_sasl_set_credentials(rk, username, password) { rd_kafka_error_destroy(error) }
    }
}
