import Commands
import Indexing
import Seeds
import Testing

/// Whether the source's own versions are those that commands carry.
@Suite struct VersionAgreementTests {
    private func command(_ id: String, _ version: Int64, offset: Int64 = 0) -> SampledCommand {
        SampledCommand(
            kind: .index, entry: 0, id: id, routing: nil, partition: 0, offset: offset, timestamp: 0, version: version)
    }

    private func greatest(applied: Int64?, any: Int64) -> VersionFold.Greatest {
        VersionFold.Greatest(applied: applied, any: any, partition: 0, offset: 0)
    }

    /// In whatever order commands are read.
    @Test func theGreatestVersionsOfAnIDDoNotDependOnTheOrder() {
        let seed = newSeed("version fold")
        for round in 0..<500 {
            var random = Seeded(seed &+ UInt64(round))
            let commands = (0..<(1 + random.below(12))).map { offset in
                (command("1", Int64(random.below(6)), offset: Int64(offset)), random.chance(50))
            }
            var fold = VersionFold()
            for (command, isApplied) in commands { fold.add(command, isApplied: isApplied) }
            var other = VersionFold()
            for (command, isApplied) in commands.shuffled(using: &random) { other.add(command, isApplied: isApplied) }
            let (one, two) = (fold.entries[0]?["1"], other.entries[0]?["1"])
            let about = "seed \(seed), round \(round)"
            #expect(one?.any == two?.any && one?.applied == two?.applied, "\(about)")
            #expect(one?.any == commands.map(\.0.version).max(), "\(about)")
            #expect(one?.applied == commands.filter(\.1).map(\.0.version).max(), "\(about)")
        }
    }

    @Test func aSourceIsTheSameBehindOrAhead() {
        var agreement = VersionAgreement()
        agreement.add("same", stored: 5, commands: greatest(applied: 5, any: 9))
        agreement.add("not there yet", stored: 9, commands: greatest(applied: 5, any: 9))
        agreement.add("between", stored: 7, commands: greatest(applied: 5, any: 9))
        #expect((agreement.same, agreement.looked) == (3, 3))
        agreement.add("behind", stored: 4, commands: greatest(applied: 5, any: 9))
        agreement.add("ahead", stored: 10, commands: greatest(applied: 5, any: 9))
        agreement.add("unread", stored: 3, commands: greatest(applied: nil, any: 9))
        #expect(agreement.other.map(\.id) == ["behind"] && agreement.ahead.map(\.id) == ["ahead"])
        #expect(agreement.looked == 5, "what the source has not got to says nothing")
        agreement.add("field", stored: 3, field: 3)
        agreement.add("other field", stored: 3, field: 4)
        #expect(agreement.same == 4 && agreement.other.last?.said == 4 && agreement.other.last?.place == nil)
    }

    private func agreement(same: Int, other: Int = 0, ahead: Int = 0) -> VersionAgreement {
        var agreement = VersionAgreement()
        for number in 0..<same { agreement.add("\(number)", stored: 5, field: 5) }
        for number in 0..<other { agreement.add("\(number)", stored: 5, field: 6) }
        for number in 0..<ahead { agreement.add("\(number)", stored: 9, commands: greatest(applied: 5, any: 5)) }
        return agreement
    }

    @Test func oneInAHundredRefuses() {
        #expect(!agreement(same: 0).refuses(isComplete: true), "an empty sample says nothing")
        #expect(!agreement(same: 200, other: 1).refuses(isComplete: true))
        #expect(agreement(same: 99, other: 1).refuses(isComplete: true))
        #expect(agreement(same: 0, ahead: 1).refuses(isComplete: false))
        #expect(!agreement(same: 90, ahead: 10).refuses(isComplete: true))
        #expect(agreement(same: 80, ahead: 20).refuses(isComplete: true))
        #expect(!agreement(same: 80, ahead: 20).refuses(isComplete: false))
        #expect(agreement(same: 40, ahead: 60).refuses(isComplete: false))
    }
}
