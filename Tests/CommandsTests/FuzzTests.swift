import Commands
import JSONText
import Seeds
import Testing

@Suite struct FuzzTests {
    /// Whatever the bytes are: no trap, one of three results, and the same one from a decoder that has seen worse.
    @Test func anyBytes() {
        let seed = newSeed("anyBytes")
        var random = Seeded(seed)
        let cases =
            DecoderTests.documents + DecoderTests.envelopes + DecoderTests.routings + DecoderTests.withoutRouting
            + DecoderTests.versions
            + DecoderTests.selections + DebeziumTests.rows + DebeziumTests.fromRows
            + KeyTests.keys + KeyTests.wrapped + KeyTests.templates
        let decoders = cases.map { CommandDecoder($0.format) }
        var kinds: Set<Substring> = []
        for _ in 0..<60_000 {
            let at = Int.random(in: 0..<cases.count, using: &random)
            var given = cases[at].given
            mutate(&given.value, &random)
            if Int.random(in: 0..<4, using: &random) == 0 { mutate(&given.key, &random) }
            given.offset = [7, 7, 7, .max, .min, -1].randomElement(using: &random) ?? 7
            given.timestamp = [1, 1, .max, .min].randomElement(using: &random) ?? 1
            let result = given.decoded(decoders[at])
            #expect(result == given.decoded(CommandDecoder(cases[at].format)), "seed \(seed) \(given)")
            kinds.insert(result.prefix { $0 != " " })
        }
        #expect(kinds == ["index", "merge", "delete", "skip", "reject"], "seed \(seed)")
    }

    private func mutate(_ bytes: inout [UInt8]?, _ random: inout Seeded) {
        guard var mutated = bytes else { return }
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let at = Int.random(in: 0...mutated.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: mutated.insert(UInt8.random(in: 0...255, using: &random), at: at)
            case 1 where at < mutated.count: mutated.remove(at: at)
            case 2 where at < mutated.count: mutated[at] = UInt8.random(in: 0...255, using: &random)
            case 3: mutated = Array(mutated[..<at])
            default:
                let token = [#"{"#, #"}"#, #"""#, #"\u"#, ",", ":", "null", "[", "]", "\0", "1e9"]
                mutated.insert(contentsOf: (token.randomElement(using: &random) ?? "").utf8, at: at)
            }
        }
        bytes = mutated
    }
}
