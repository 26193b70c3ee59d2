import JSONText
import Testing

@testable import SearchCluster

@Suite struct SourceStorageTests {
    private func storage(_ mapping: String, _ settings: String = "{}") throws -> SourceStorage {
        SourceStorage(mappings: [try JSONValue(parsing: mapping)], settings: try JSONValue(parsing: settings))
    }

    @Test func whole() throws {
        #expect(try storage("{}").isWhole)
        #expect(try storage(#"{"_source":{"enabled":true,"includes":[],"excludes":[]}}"#).isWhole)
        #expect(try storage(#"{"_source":{"mode":"stored"}}"#, #"{"index":{"mode":"logsdb"}}"#).isWhole)
        #expect(
            try storage("{}", #"{"index":{"mode":"logsdb","mapping":{"source":{"mode":"stored"}}}}"#).isWhole)
        #expect(try storage("{}", #"{"index":{"mode":"standard"}}"#).isWhole)
    }

    @Test(arguments: [
        #"{"index":{"mapping":{"source":{"mode":"synthetic"}}}}"#, #"{"index.mapping.source.mode":"synthetic"}"#,
        #"{"mapping":{"source.mode":"synthetic"}}"#, #"{"settings":{"index":{"mode":"time_series"}}}"#,
        #"{"index":{"mode":"logsdb"}}"#, #"{"index.derived_source.enabled":"true"}"#,
    ])
    func syntheticBySettings(_ settings: String) throws {
        #expect(try storage("{}", settings).synthetic != nil)
    }

    @Test func byMapping() throws {
        #expect(try storage(#"{"_source":{"enabled":"false"}}"#).isDisabled)
        #expect(try storage(#"{"_source":{"mode":"disabled"}}"#).isDisabled)
        #expect(try storage(#"{"_source":{"mode":"synthetic"}}"#).synthetic != nil)
        #expect(try storage(#"{"_source":{"excludes":"a"}}"#).excludes == ["a"])
        #expect(try storage(#"{"_source":{"includes":["a","b.*"]}}"#).includes == ["a", "b.*"])
    }

    @Test func intervals() {
        #expect(ClusterReader.interval(nil) == 1000)
        for (text, milliseconds) in [
            ("30s", 30_000), ("1m", 60_000), ("500ms", 500), ("2h", 7_200_000), ("1.5s", 1500), ("5S", 5000),
            ("100micros", 1), ("nonsense", 1000), ("99999999999999999d", 1_000_000_000_000),
        ] as [(String, Int64)] {
            #expect(ClusterReader.interval(.string(text)) == milliseconds, "\(text)")
        }
        #expect(ClusterReader.interval(.string("-1")) == nil)
        #expect(ClusterReader.interval(.number("-1")) == nil)
        #expect(ClusterReader.interval(.string("0")) == nil)
    }
}
