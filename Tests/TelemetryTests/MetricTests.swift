import Foundation
import Testing

@testable import Telemetry

@Suite struct MetricTests {
    @Test func countersOfOneNameBeginAtZeroWithAllValues() {
        let family = CounterFamily("x_total", "Help.", label: "code", ["200", "429", "other"])
        #expect(family.totals.map(\.count) == [0, 0, 0] && family.present.isEmpty)
        family.add("429", 2)
        family.add("418")
        #expect(family.present == ["429": 2, "other": 1])
        #expect(
            PrometheusText.write([family.family])
                == """
                # HELP x_total Help.
                # TYPE x_total counter
                x_total{code="200"} 0
                x_total{code="429"} 2
                x_total{code="other"} 1

                """)
    }

    @Test func histogramsCountUpToEachBound() {
        let histogram = Histogram("h_seconds", "Help.", [0.1, 1, 2.5], scale: 1e9)
        #expect(histogram.present.quantile(0.5) == nil)
        for value in [0.05, 0.1, 0.5, 2, 7] { histogram.observe(value) }
        for value in [-1, Double.nan, .infinity] { histogram.observe(value) }
        #expect(histogram.present.counts == [2, 1, 1, 1] && histogram.present.count == 5)
        #expect(
            PrometheusText.write([histogram.family])
                == """
                # HELP h_seconds Help.
                # TYPE h_seconds histogram
                h_seconds_bucket{le="0.1"} 2
                h_seconds_bucket{le="1"} 3
                h_seconds_bucket{le="2.5"} 4
                h_seconds_bucket{le="+Inf"} 5
                h_seconds_sum 9.65
                h_seconds_count 5

                """)
    }

    /// Linear inside a bucket; of what lies beyond the last bound no more is said than that bound.
    @Test func quantiles() {
        let figures = HistogramFigures(bounds: [1, 2, 4], counts: [0, 10, 10, 0], sum: 40)
        #expect(figures.quantile(0.25) == 1.5 && figures.quantile(0.5) == 2 && figures.quantile(0.75) == 3)
        #expect(HistogramFigures(bounds: [1, 2], counts: [1, 0, 9], sum: 0).quantile(0.99) == 2)
        let later = HistogramFigures(bounds: [1, 2, 4], counts: [3, 10, 10, 1], sum: 50)
        #expect(later.since(figures) == HistogramFigures(bounds: [1, 2, 4], counts: [3, 0, 0, 1], sum: 10))
    }

    @Test func textIsEscapedAndWhatIsUnknownIsNotThere() {
        var family = MetricFamily("g", .gauge, "One \\ two\nthree \"four\".")
        family.add(.real(0.5), [("topic", "a\"b\\c\nd"), ("partition", "0")])
        family.add(.real(.infinity))
        #expect(
            PrometheusText.write([family, MetricFamily("unknown", .gauge, "Nobody knows.")])
                == #"""
                # HELP g One \\ two\nthree "four".
                # TYPE g gauge
                g{topic="a\"b\\c\nd",partition="0"} 0.5
                g +Inf

                """#)
    }

    @Test func numbersAreGos() {
        #expect(PrometheusText.plain(1e6) == "1000000" && PrometheusText.plain(2.5e-7) == "2.5e-07")
        #expect(PrometheusText.plain(.nan) == "NaN" && PrometheusText.plain(-.infinity) == "-Inf")
    }

    /// Whatever happens at once on several threads is counted.
    @Test func nothingIsLostBetweenThreads() {
        let events = WorkEvents(Logger { _ in })
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<1000 { events.bulkAnswered(status: 200, seconds: 0.01, bytes: 10) }
        }
        #expect(events.bulkRequests == ["200": 8000] && events.bulkLatency.count == 8000)
        #expect(abs(events.bulkLatency.sum - 80) < 0.001)
    }

    /// Every name is the house's, every counter says so, and each name is there once.
    @Test func everyFamilyKeepsTheConventions() {
        let families = WorkEvents(Logger { _ in }, indices: ["a", "b"]).families + ProcessFigures.families
        #expect(Set(families.map(\.name)).count == families.count)
        for family in families {
            #expect(family.name.hasPrefix("crossfade_") || family.name.hasPrefix("process_"), "\(family.name)")
            #expect((family.kind == .counter) == family.name.hasSuffix("_total"), "\(family.name)")
            #expect(family.help.hasSuffix("."), "\(family.name)")
        }
        let process = families.filter { $0.name.hasPrefix("process_") && !$0.samples.isEmpty }
        #expect(process.count == 6)
    }

    @Test func theProcessIsAsTheKernelSays() throws {
        let families = Dictionary(uniqueKeysWithValues: ProcessFigures.families.map { ($0.name, $0) })
        guard case .real(let start)? = families["process_start_time_seconds"]?.samples.first?.value else {
            Issue.record("no start time")
            return
        }
        let now = Date().timeIntervalSince1970
        #expect(start < now + 2 && start > now - 86_400)
        #expect(ProcessFigures.residentBytes > 1 << 20)
    }
}
