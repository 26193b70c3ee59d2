import CommandLog
import Foundation
@testable import LogGuard
@testable import State
import Testing
@testable import Migration

@Suite struct RecordFingerprintTests {
    let one = RecordFingerprint(offset: 12, timestamp: 1_700_000_000_123, digest: 0xFFFF_0000_1234_5678)

    @Test func textsComeBack() {
        #expect(RecordFingerprint(text: one.text) == one)
        #expect(RecordFingerprint(text: "12:7") == nil && RecordFingerprint(text: "x:7:1") == nil)
        let note = CommitNote(epoch: 3, fingerprint: one)
        #expect(CommitNote(text: note.text) == note)
        let bare = CommitNote(epoch: 3, fingerprint: nil)
        #expect(CommitNote(text: bare.text) == bare)
        let other = RecordFingerprint(offset: 3, timestamp: 5, digest: 6)
        let anchored = CommitNote(epoch: 3, fingerprint: one, anchor: other)
        #expect(CommitNote(text: anchored.text) == anchored && anchored.fingerprints == [one, other])
        #expect(CommitNote(epoch: 3, fingerprint: one, anchor: one).fingerprints == [one])
        for mark in [CommitNote.Mark(fingerprint: "ab12", term: 7), CommitNote.Mark(fingerprint: "ab12", term: nil)] {
            let marked = CommitNote(epoch: 3, fingerprint: one, time: 9, mark: mark)
            #expect(CommitNote(text: marked.text) == marked)
        }
        // What other clients of a group may have left there.
        for foreign in [nil, "", "crossfade", "crossfade x", "leader 3"] { #expect(CommitNote(text: foreign) == nil) }
    }

    @Test func stateKeepsTheFurtherWitnessOfOneEpoch() throws {
        var state = MigrationState(
            name: "m", phase: .following, fingerprint: "f", work: .null, created: 1, indices: ["i"])
        state.keep([0: one, 1: one], epoch: 2)
        state.keep([0: RecordFingerprint(offset: 5, timestamp: -1, digest: 1), 2: one], epoch: 2)
        #expect(state.log?.fingerprints == [0: one, 1: one, 2: one])
        state.recordedEpoch = 7
        #expect(MigrationState(json: state.json) == state)
        state.keep([0: RecordFingerprint(offset: 5, timestamp: -1, digest: 1)], epoch: 3)
        #expect(state.log?.fingerprints.keys.sorted() == [0] && state.log?.epoch == 3)
    }
}

@Suite struct IDWatchTests {
    @Test func findsAnIdInTwoPartitions() throws {
        let ids = CrossPartitionIDDetector(capacity: 1 << 10)
        #expect(ids.see(77, partition: 1, offset: 5) == nil)
        #expect(ids.see(77, partition: 1, offset: 6) == nil)
        let clash = try #require(ids.see(77, partition: 2, offset: 3))
        #expect(clash.one == (1, 6) && clash.other == (2, 3))
        let error = clash.refusal(id: "inc-1", topic: "t", orderedByOthers: true).error()
        #expect(error.code == .refused)
        for part in ["inc-1", "partition 1 offset 6", "partition 2 offset 3"] { #expect(error.message.contains(part)) }
    }

    /// An id that meets another in its slot takes its place; no two ids are ever taken for one.
    @Test func forgetsRatherThanMistakes() {
        let ids = CrossPartitionIDDetector(capacity: 1 << 4)
        for id in 1...1000 {
            #expect(ids.see(UInt64(id) << 32 | UInt64(id), partition: Int32(id % 5), offset: Int64(id)) == nil)
        }
    }
}
