import CommandLog
import Foundation
import JSONText
import Synchronization

/// The application's writer: one thread that writes commands at a steady rate.
///
/// `@unchecked Sendable`: `workload` belongs to the thread; a lock protects everything else.
final class DemoWriter: @unchecked Sendable {
    struct Figures: Sendable {
        var written: [DemoRecord.Kind: Int] = [:]
        /// Per partition: the records that the broker has acknowledged, and the bytes sent.
        var acknowledged: [Int32: Int64] = [:]
        var bytes: [Int32: Int] = [:]
        var failure: String?
        /// The writer pauses at this number of commands, and goes on when the number grows.
        var goal: Int
        var rate: Double
        var newKeys: Int
        var isStopped = false
        var total: Int { written.values.reduce(0, +) }
    }

    let topic: String
    let partitions: Int
    /// The writer stops writing when a partition has this many bytes; nil: no limit.
    let limit: Int?
    private let book: Mutex<Figures>
    private let documents = Mutex(DemoModel())
    private var workload: DemoWorkload
    private let producer: DeadLetterProducer
    private let acknowledgements: Acknowledgements
    private let ended = DispatchSemaphore(value: 0)

    /// The producer's thread calls this.
    private final class Acknowledgements: Sendable {
        let counts = Mutex<(perPartition: [Int32: Int64], failure: String?)>(([:], nil))
    }

    init(_ settings: KafkaSettings, topic: String, partitions: Int, seed: UInt64, limit: Int?, goal: Int, rate: Double)
        throws(LogError)
    {
        (self.topic, self.partitions, self.limit) = (topic, partitions, limit)
        book = Mutex(Figures(goal: goal, rate: rate, newKeys: 60))
        workload = DemoWorkload(seed: seed, newKeys: 60)
        let acknowledgements = Acknowledgements()
        self.acknowledgements = acknowledgements
        producer = try DeadLetterProducer(settings: settings) { token, error in
            acknowledgements.counts.withLock { counts in
                if let error {
                    counts.failure = "\(error)"
                } else {
                    counts.perPartition[Int32(truncatingIfNeeded: token), default: 0] += 1
                }
            }
        }
    }

    var figures: Figures {
        let (counts, failure) = acknowledgements.counts.withLock { ($0.perPartition, $0.failure) }
        return book.withLock { book in
            book.acknowledged = counts
            book.failure = book.failure ?? failure
            return book
        }
    }

    /// The documents that result from all written commands.
    var model: DemoModel { documents.withLock { $0 } }

    /// Whether the broker has acknowledged every command up to the goal.
    var hasReachedGoal: Bool {
        let now = figures
        return now.total >= now.goal && now.acknowledged.values.reduce(0, +) >= Int64(now.total)
    }

    /// Whether a partition has reached the limit.
    var isFull: Bool {
        guard let limit else { return false }
        return book.withLock { $0.bytes.values.contains { $0 >= limit } }
    }

    /// Sets the total number of commands, the commands per second, and how many of 100 alerts bring a new tag key.
    func go(to goal: Int, rate: Double, newKeys: Int) {
        book.withLock {
            $0.goal = goal
            $0.rate = rate
            $0.newKeys = newKeys
        }
    }

    func start() {
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "demo-writer"
        thread.start()
    }

    func stop() {
        book.withLock { $0.isStopped = true }
        _ = ended.wait(timeout: .now() + 5)
        producer.close(seconds: 5)
    }

    private func run() {
        var due = 0.0
        var last = Date()
        while true {
            let now = Date()
            let (left, rate, stopped, newKeys) = book.withLock {
                ($0.goal - $0.total, $0.rate, $0.isStopped || $0.failure != nil, $0.newKeys)
            }
            if stopped { return }
            // The writer does not catch up on the time of a pause.
            due = min(due + now.timeIntervalSince(last) * rate, rate)
            last = now
            let count = isFull ? 0 : min(left, Int(due))
            workload.newKeys = newKeys
            for _ in 0..<max(0, count) {
                guard write() else { return }
            }
            due = left > 0 ? due - Double(max(0, count)) : 0
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    private func write() -> Bool {
        let record = workload.next()
        let partition = Self.partition(record.key, of: partitions)
        do {
            let taken = try Array(record.key.utf8).withUnsafeBufferPointer { key in
                try Array(record.value.utf8).withUnsafeBufferPointer { value in
                    try producer.send(
                        topic: topic, key: key, value: value, token: UInt64(partition), partition: partition,
                        waitMs: 10_000)
                }
            }
            guard taken else { throw LogError(.timedOut, "the broker took no command for 10 s") }
            book.withLock { book in
                book.written[record.kind, default: 0] += 1
                book.bytes[partition, default: 0] += record.key.utf8.count + record.value.utf8.count + 160
            }
            documents.withLock { _ = $0.apply(record.value) }
            return true
        } catch {
            book.withLock { $0.failure = "\(error)" }
            return false
        }
    }

    /// Sends every id to one fixed partition (FNV-1a).
    static func partition(_ key: String, of partitions: Int) -> Int32 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int32(hash % UInt64(max(1, partitions)))
    }
}
