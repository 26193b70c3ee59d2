import CommandLog
import Foundation
import State
import Testing
@testable import Migration
@testable import Verification

/// What the page of a verification shows of the rest of the migration.
@Suite(.serialized) struct StatusLookTests {
    @Test func theLastStopAndTheTopicAreLookedUpForThePage() async throws {
        let bench = try SettlingBench()
        try bench.applied()
        let prepared = try bench.prepared()
        try prepared.store.update { $0.phase = .following }
        prepared.record(.followStopped, "id 7", logger: bench.logger)
        prepared.record(.followRefused, "rail a", logger: bench.logger)
        let live = LiveWork(prepared, command: "verify", version: "", logger: bench.logger)
        live.knows(try #require(try prepared.store.load()))
        #expect(live.snapshot().lastStop == nil && live.snapshot().log?.answers == nil, "nobody has looked yet")
        let look = StatusLook(live)
        defer { look.stop() }
        let end = ContinuousClock.now + .seconds(60)
        while live.snapshot().lastStop == nil, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(20))
        }
        let found = live.snapshot()
        #expect(found.lastStop?.what == .followRefused && found.lastStop?.detail == "rail a")
        #expect(found.log?.answers == true && found.log?.trouble == nil)
    }
}
