import Foundation
import JSONText
import Synchronization
import Testing

@testable import Telemetry

/// Log lines as they are written.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    func logger(_ format: Logger.Format) -> Logger {
        Logger(format: format) { line in self.lines.withLock { $0.append(line) } }
    }

    var all: [String] { lines.withLock { $0 } }
}

@Suite struct EventTests {
    @Test func anEventIsOneLineAndItsFigure() throws {
        let lines = Lines()
        let events = WorkEvents(lines.logger(.json))
        events.partitionsRevoked([3, 1], lost: true, drained: false)
        #expect(lines.all.count == 1)
        let told = try JSONValue(parsing: try #require(lines.all.first))
        #expect(told["message"]?.string == "partitions revoked" && told["level"]?.string == "info")
        #expect(told["partitions"]?.array == [.number(1), .number(3)])
        #expect(told["lost"]?.bool == true && told["drained"]?.bool == false)
        let text = PrometheusText.write(events.families)
        #expect(text.contains("crossfade_kafka_rebalances_total{type=\"lost\"} 1\n"))
        #expect(text.contains("crossfade_kafka_rebalances_total{type=\"revoked\"} 0\n"))
    }

    @Test func whatHappensHundredsOfTimesASecondIsNotLogged() {
        let lines = Lines()
        let events = WorkEvents(lines.logger(.text), indices: ["a"])
        events.bulkAnswered(status: 429, seconds: 0.1, bytes: 100)
        events.bulkSettled(index: 0, concluded: 10, refused: 1, again: 5)
        events.bulkSettled(index: 7, concluded: 1, refused: 0, again: 0)
        events.bulkRepeated(.throttled)
        events.recordsTaken(1000, bytes: 400_000)
        #expect(lines.all.isEmpty)
        #expect(events.indices.map(\.succeeded) == [9] && events.indices.map(\.failed) == [1])
        #expect(events.bulkRetries == ["throttled": 1] && events.bytesTaken == 400_000)
    }

    @Test func numbersAreNumbersAndTimesHaveTheirZone() throws {
        let lines = Lines()
        let unknown: Int? = nil
        lines.logger(.json).info("m", ["text": "12", "count": 12, "big": Int64.max, "is": true, "not": unknown])
        let told = try JSONValue(parsing: try #require(lines.all.first))
        #expect(told["text"]?.string == "12" && told["count"]?.int == 12 && told["big"]?.int == Int64.max)
        #expect(told["is"]?.bool == true && told["not"] == .null)
        let time = try #require(told["time"]?.string)
        #expect(time.hasSuffix("Z") && time.count == "2026-11-28T20:54:21.123Z".count, "\(time)")
        #expect(Logger.time(Date(timeIntervalSince1970: 1.5)) == "1970-01-01T00:00:01.500Z")
    }

    @Test func textLinesStayAsTheyWere() throws {
        let lines = Lines()
        let unknown: Int? = nil
        lines.logger(.text).warning("it is so", ["a": "x", "b": "two words", "c": 3, "d": unknown, "e": ""])
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix("Z warning it is so a=x b=\"two words\" c=3 d=- e=\"\"\n"), "\(line)")
    }
}

@Suite struct StatsDTests {
    @Test func linesAreTheProtocols() {
        let name = StatsD.name("elastic_migration_document_count", [("index", "a:b|c"), ("type", "success")])
        #expect(name == "elastic_migration_document_count,index=a_b_c,type=success")
        #expect(StatsD.counter(name, 3) == "\(name):3|c")
        #expect(StatsD.gauge("g", -4) == "g:0|g" && StatsD.timer("t", milliseconds: 1500) == "t:1500|ms")
    }

    @Test func linesShareDatagramsUpToTheirSize() {
        #expect(StatsD.datagrams([]) == [])
        #expect(StatsD.datagrams(["aaaa", "bbb", "cc", "ddddddddddd", "e"], most: 8) == ["aaaa\nbbb", "cc\ne"])
    }

    /// A server that is not there, and one that comes.
    @Test func whatIsSentArrives() throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0
            }
        }
        try #require(isBound)
        let port = Int(UInt16(bigEndian: address.sin_port))
        let sender = StatsDSender(host: "127.0.0.1", port: port)
        #expect(sender.send(["a:1|c", "b:2|g"]))
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = recv(socket, &bytes, bytes.count, 0)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "a:1|c\nb:2|g")
    }

    @Test func nobodyListens() {
        let sender = StatsDSender(host: "127.0.0.1", port: 9)
        for _ in 0..<3 { sender.send(["a:1|c"]) }
        #expect(!StatsDSender(host: "no-such-host.invalid", port: 8125).send(["a:1|c"]))
    }
}
