import CLibrdkafka
import Foundation
import JSONText
import Synchronization
import Testing

@testable import CommandLog

/// The real servers, when they are to be had: the `stack` program beside the project or at CROSSFADE_STACK.
enum Stack {
    static let program: String? = {
        let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/stack/stack").path
        let path = ProcessInfo.processInfo.environment["CROSSFADE_STACK"] ?? beside
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()

    static var isThere: Bool { program != nil }

    static func run(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(program))
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Started once: the tests run side by side, and two starts of one server at a time read each other's half-written
    /// state.
    private static let started = Result { try run("start", "kafka-4.1") }

    static func kafka() throws -> String { try started.get() }
}

/// A name that no other run uses.
func unique(_ name: String) -> String { "\(name)-\(UInt32.random(in: 0 ... .max))" }

func text(_ bytes: Bytes?) -> String? { bytes.map { String(repairing: $0) } }

/// Waits for a condition, as the tests wait for nothing else.
func eventually(seconds: Double = 30, _ what: String, _ condition: () throws -> Bool) throws {
    let deadline = Deadline(seconds: seconds)
    while try !condition() {
        try #require(!deadline.isOver, "not in \(seconds) s: \(what)")
        Thread.sleep(forTimeInterval: 0.01)
    }
}

/// Writes records through librdkafka, in transactions when it has an id.
final class Writer: @unchecked Sendable {
    let rk: OpaquePointer

    init(_ bootstrap: String, transactional: String? = nil) throws {
        let conf = try #require(rd_kafka_conf_new())
        var error = [CChar](repeating: 0, count: 256)
        var settings = [("bootstrap.servers", bootstrap), ("linger.ms", "5"), ("partitioner", "murmur2_random")]
        if let transactional { settings.append(("transactional.id", transactional)) }
        for (key, value) in settings { rd_kafka_conf_set(conf, key, value, &error, error.count) }
        rk = try #require(rd_kafka_new(RD_KAFKA_PRODUCER, conf, &error, error.count))
        if transactional != nil { try check(rd_kafka_init_transactions(rk, 20_000)) }
    }

    private func check(_ error: OpaquePointer?) throws {
        guard let error else { return }
        defer { rd_kafka_error_destroy(error) }
        throw LogError(.refused, String(cString: rd_kafka_error_string(error)))
    }

    func begin() throws { try check(rd_kafka_begin_transaction(rk)) }
    func commit() throws { try check(rd_kafka_commit_transaction(rk, 20_000)) }
    func abort() throws {
        // Else librdkafka may purge the records, and Kafka 4 knows of no transaction to end.
        try flush()
        try check(rd_kafka_abort_transaction(rk, 20_000))
    }

    func write(_ topic: String, _ partition: Int32, key: String?, value: String?, time: Int64 = 0) throws {
        let key = key.map { Array($0.utf8) }
        let value = value.map { Array($0.utf8) }
        while true {
            let err = crossfade_produce(
                rk, topic, partition, key, key?.count ?? 0, value, value?.count ?? 0, time, nil, 0)
            if err == RD_KAFKA_RESP_ERR__QUEUE_FULL {
                rd_kafka_poll(rk, 10)
                continue
            }
            try #require(err == RD_KAFKA_RESP_ERR_NO_ERROR)
            return
        }
    }

    /// `count` records of one partition, numbered.
    func fill(_ topic: String, _ partition: Int32, count: Int, size: Int = 20) throws {
        let pad = String(repeating: "x", count: size)
        for number in 0..<count { try write(topic, partition, key: "k\(number)", value: "\(number) \(pad)") }
    }

    func flush() throws { try #require(rd_kafka_flush(rk, 30_000) == RD_KAFKA_RESP_ERR_NO_ERROR) }

    deinit { rd_kafka_destroy(rk) }
}

/// What a read partition held.
struct Read {
    var offsets: [Int32: [Int64]] = [:]
    var ends: [Int32: Int64] = [:]
}

/// Reads the partitions from `starts` to their ends.
func readToEnd(
    _ settings: KafkaSettings, _ topic: String, from starts: [Int32: Int64], seconds: Double = 30,
    each: (LogMessage) -> Void = { _ in }
) throws -> Read {
    let consumer = try LogConsumer(settings: settings, topic: topic, mode: .assigned(starts))
    defer { #expect(consumer.close()) }
    let batch = RecordBatch(capacity: 1000)
    let deadline = Deadline(seconds: seconds)
    var read = Read()
    while read.ends.count < starts.count {
        try #require(!deadline.isOver, "ends reached only of \(read.ends)")
        try consumer.poll(into: batch)
        for at in 0..<batch.count {
            let message = batch[at]
            read.offsets[message.partition, default: []].append(message.offset)
            each(message)
        }
        for case .endOfPartition(let partition, let next) in batch.events { read.ends[partition] = next }
        batch.releaseAll()
    }
    return read
}

/// The error that `body` throws.
func failure(_ body: () throws -> Void) -> LogError? {
    do {
        try body()
        return nil
    } catch {
        return error as? LogError
    }
}
