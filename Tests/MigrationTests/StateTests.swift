import Basics
import Indexing
import JSONText
import Seeds
@testable import State
import Testing
@testable import Migration

@Suite struct StateTests {
    /// A delete whose tombstone was purged may not be in the old index yet: its document is no base until the tombstone
    /// is back.
    @Test func aCopyThatRestoresTombstonesGivesNoBases() {
        var state = MigrationState(
            name: "m", phase: .copying, fingerprint: "f", work: [:], created: 1, indices: ["i"])
        #expect(state.sourceIsBase)
        state.purge = MigrationState.Purge(first: 1, last: 1, purged: 1)
        #expect(!state.sourceIsBase)
        state.purge?.record.restored()
        #expect(state.sourceIsBase)
        state.copy = MigrationState.Copy(round: 1, expected: 0, started: 1, finished: 2, slices: [])
        #expect(!state.sourceIsBase)
    }

    /// What is written to the state document comes back the same, whatever is in it.
    @Test(arguments: [UInt64(1), 2, 3, 77, 20_261_121])
    func roundTrip(seed: UInt64) throws {
        var generator = Seeded(seed)
        for _ in 0..<50 {
            let state = random(&generator)
            let text = state.json.text()
            let back = MigrationState(json: try JSONValue(parsing: text))
            #expect(back == state, "seed \(seed)")
        }
    }

    @Test func whatIsNotAStateIsNone() throws {
        #expect(MigrationState(json: ["name": "x"]) == nil)
        #expect(MigrationState(json: .null) == nil)
    }

    private func random(_ generator: inout Seeded) -> MigrationState {
        func offsets() -> [Int32: Int64] {
            var offsets: [Int32: Int64] = [:]
            for partition in 0..<Int32.random(in: 0...5, using: &generator) {
                offsets[partition] = .random(in: 0...OutsideNumber.most, using: &generator)
            }
            return offsets
        }
        var state = MigrationState(
            name: "n\u{e9}\"\\", phase: MigrationState.Phase.allCases.randomElement(using: &generator) ?? .created,
            fingerprint: "abc", work: ["a": ["b": 1, "c": "x\"y"]], created: 5, indices: ["one", "two"],
            recorded: Bool.random(using: &generator) ? offsets() : nil)
        if Bool.random(using: &generator) {
            state.copy = MigrationState.Copy(
                round: 2, expected: 7, started: 9, finished: Bool.random(using: &generator) ? 10 : nil,
                slices: [
                    MigrationState.Slice(
                        entry: 0, index: "i", spec: "slice 3/16", done: true, returned: 4,
                        outcomes: ["indexed": 3, "stale": 1])
                ])
        }
        if Bool.random(using: &generator) {
            state.replay = MigrationState.Replay(
                round: 1, epoch: 2, started: 3, finished: nil, start: offsets(), end: offsets(), position: offsets())
        }
        state.copyGate = CopyGate.allCases.randomElement(using: &generator) ?? .closed
        state.uuids = Bool.random(using: &generator) ? ["one": "u\u{e9}-\"", "two": ""] : [:]
        if Bool.random(using: &generator) {
            state.purge = MigrationState.Purge(
                first: 1, last: 2, purged: 3, isAway: Bool.random(using: &generator),
                underWay: Bool.random(using: &generator) ? 7 : nil)
        }
        state.replayDue = Bool.random(using: &generator)
        return state
    }
}
