import JSONText
@testable import Migration
import Telemetry
import Testing

@testable import Operations

@Suite struct HistoryTests {
    private func counters(
        _ records: Int, bytes: Int = 0, lag: Int64? = nil, latency: [Int]? = nil
    ) -> LiveCounters {
        var counters = LiveCounters()
        counters.records = records
        counters.bytes = bytes
        counters.lag = lag
        counters.latency = latency.map { HistogramFigures(bounds: [0.01, 0.1, 1], counts: $0, sum: 0) }
        return counters
    }

    @Test func aPointIsWhatCameSinceTheLast() {
        var history = History()
        history.take(counters(100, bytes: 1000), wall: 5000, monotonic: 0)
        #expect(history.points.isEmpty)
        #expect(history.rate == nil)
        history.take(counters(300, bytes: 5000, lag: 7), wall: 7000, monotonic: 2000)
        #expect(
            history.points == [
                History.Point(
                    time: 7000, lag: 7, lagByPartition: [:], recordsPerSecond: 100, bytesPerSecond: 2000, median: nil,
                    p99: nil)
            ])
        #expect(history.rate == WorkSnapshot.Rate(records: 100, bytes: 2000))
    }

    @Test func theRateIsThatOfTheLastFewPoints() {
        var history = History()
        for second in 0...20 {
            history.take(counters(second < 10 ? 0 : (second - 9) * 50), wall: 0, monotonic: Int64(second) * 1000)
        }
        #expect(history.rate?.records == 50)
    }

    @Test func noMoreThanAQuarterOfAnHour() {
        var history = History()
        for second in 0...2000 {
            history.take(counters(second), wall: Int64(second), monotonic: Int64(second) * 1000)
        }
        #expect(history.points.count == 900)
        #expect(history.points.first?.time == 1101)
        #expect(history.points.last?.time == 2000)
    }

    @Test func countersThatBeginAnewAreNoNegativeRate() {
        var history = History()
        history.take(counters(500, bytes: 9, latency: [0, 0, 5, 0]), wall: 0, monotonic: 0)
        history.take(counters(10, bytes: 1, latency: [0, 0, 1, 0]), wall: 1, monotonic: 1000)
        #expect(history.points[0].recordsPerSecond == 0 && history.points[0].bytesPerSecond == 0)
        #expect(history.points[0].median == nil)
        // A clock that has not moved gives no point.
        history.take(counters(20), wall: 1, monotonic: 1000)
        #expect(history.points.count == 1)
    }

    @Test func latencyIsThatOfTheRequestsSinceThen() {
        var history = History()
        history.take(counters(0, latency: [100, 0, 0, 0]), wall: 0, monotonic: 0)
        history.take(counters(0, latency: [100, 10, 0, 0]), wall: 0, monotonic: 1000)
        #expect(abs((history.points[0].median ?? 0) - 0.055) < 1e-9)
        #expect(abs((history.points[0].p99 ?? 0) - 0.0991) < 1e-9)
        // The exact value beyond the last bound is not known.
        history.take(counters(0, latency: [100, 10, 0, 10]), wall: 0, monotonic: 2000)
        #expect(history.points[1].p99 == 1)
    }

    @Test func theHindmostPartitionsStay() {
        var history = History()
        var counters = LiveCounters()
        history.take(counters, wall: 0, monotonic: 0)
        for partition in 0..<1000 { counters.lagByPartition[Int32(partition)] = Int64(partition % 200) }
        history.take(counters, wall: 0, monotonic: 1000)
        let kept = history.points[0].lagByPartition
        #expect(kept.count == 64)
        #expect(kept.values.min() == 187)
    }

    @Test func asJSON() throws {
        var history = History()
        history.take(counters(0, latency: [0, 0, 0, 0]), wall: 0, monotonic: 0)
        var next = counters(1000, bytes: 12, latency: [0, 0, 4, 0])
        next.lagByPartition = [2: 5, 0: 7]
        history.take(next, wall: 1_700_000_000_000, monotonic: 3000)
        #expect(
            history.json.text()
                == "{\"every_seconds\":1,\"points\":[{\"t\":1700000000000,\"lag\":null,\"rate\":333.3,\"bytes_rate\":4,"
                + "\"p50\":0.55,\"p99\":0.991,\"lag_by_partition\":{\"0\":7,\"2\":5}}]}")
    }

    @Test func numbersThatJSONDoesNotKnowAreNull() {
        #expect(JSONValue(rounding: .nan, places: 1).isNull)
        #expect(JSONValue(rounding: .infinity, places: 0).isNull)
        #expect(JSONValue(rounding: 1e300, places: 0).isNull)
        #expect(JSONValue(rounding: nil, places: 1).isNull)
    }
}
