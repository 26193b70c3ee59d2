import CLibrdkafka

/// Wakes librdkafka's broker threads when the prefetched records run low.
///
/// Before 2.2 a broker thread that found the prefetch full looks again only after up to a second, however fast the
/// records
/// are taken: a consumer that is a little slower than the broker would get 16 MiB a second. Setting credentials
/// wakes every
/// broker thread and does nothing else, as the ones set are those that are set already.
struct RefillNudge {
    private let rk: OpaquePointer
    private let username: String
    private let password: String
    private let needed: Bool
    /// Records that were waiting when it was last looked.
    private var highest = 0
    private var last = ContinuousClock.now

    init(rk: OpaquePointer, settings: KafkaSettings) {
        self.rk = rk
        username = settings.passthrough["sasl.username"] ?? ""
        password = settings.passthrough["sasl.password"] ?? ""
        needed = rd_kafka_version() < 0x0202_00ff
    }

    /// Called after records were taken from `data`.
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
