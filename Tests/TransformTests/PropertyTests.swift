import JSONText
import ReferenceTransform
import Seeds
import Testing
import Transform

/// Random documents and steps over few names, so that paths are met often.
struct Sample {
    var random: Seeded
    var keys = ["a", "b", "c", "t", "long-name-of-more-than-8", "x:y", "q\\k", "é", "", "a.b", "n\n\"l"]
    /// Whether maps may hold what a merge by key cannot tell apart (dotted keys, objects in arrays).
    var isAmbiguous = true

    mutating func scalar() -> JSONValue {
        if random.chance(10) { return .string(DateTexts.any(using: &random)) }
        return random.pick([
            nil, true, false, .number("0"), .number("1"), .number("0.10"), .number("1e400"),
            .number("9223372036854775808"), .number("-9223372036854775808"), .number("-62167219200000"),
            "", "x", "ÄB c", "a,b", "true", "7", "12.50", "A\u{1F600}\"\\\n\t",
            .string(String(repeating: "Yz", count: 40)),
        ])
    }

    mutating func value(_ depth: Int, inArray: Bool = false) -> JSONValue {
        let roll = Int.random(in: 0..<10, using: &random)
        if depth == 0 || roll < 4 { return scalar() }
        if roll < 8 { return .object(object(depth - 1)) }
        let count = Int.random(in: 0..<4, using: &random)
        if !isAmbiguous, random.chance(50) { return .array((0..<count).map { _ in scalar() }) }
        return .array((0..<count).map { _ in value(depth - 1, inArray: true) })
    }

    mutating func object(_ depth: Int) -> JSONObject {
        var object = JSONObject()
        for _ in 0..<Int.random(in: 0..<6, using: &random) { object[random.pick(keys)] = value(depth) }
        return object
    }

    mutating func path() -> JSONPath {
        JSONPath(
            names: (0..<random.pick([1, 1, 1, 2, 2, 3])).map { _ in random.pick(["a", "b", "c", "t", "é", "a.b"]) })
    }

    mutating func step() -> TransformStep {
        let empties: [KeyToValue.Empty] = [.keep, .drop]
        switch Int.random(in: 0..<13, using: &random) {
        case 0, 1, 2:
            return .keyToValue(
                KeyToValue(
                    field: path(), null: random.pick(empties), empty: random.pick(empties), lowercase: random.chance(30)
                ))
        case 3, 4: return .rename(from: path(), to: path())
        case 5: return .remove((0..<random.pick([1, 2])).map { _ in path() })
        case 6: return .keep((0..<random.pick([2, 4, 6])).map { _ in path() })
        case 7:
            return .set(
                field: path(), json: random.pick(["1", "{\"b\":\"X\"}", "[{\"a\":1},{}]"]), ifMissing: random.chance(50)
            )
        case 8: return .copy(from: path(), to: path())
        case 9: return .cast(field: path(), to: random.pick(CastTarget.allCases))
        case 10: return .lowercase(path())
        case 11: return .split(field: path(), separator: random.pick([",", "b", ", ", "é"]))
        default: return .join(field: path(), separator: random.pick([",", "\"", "\n"]))
        }
    }
}

@Suite struct PropertyTests {
    @Test func transformerDoesWhatTheReferenceDoes() throws {
        let seed = newSeed("PropertyTests")
        var sample = Sample(random: Seeded(seed))
        var succeeded = 0
        for _ in 0..<1500 {
            let steps = (0..<Int.random(in: 1..<5, using: &sample.random)).map { _ in sample.step() }
            let transformer = Transformer(steps)
            for _ in 0..<6 {
                let document = JSONValue.object(sample.object(4))
                let text = document.text(pretty: sample.random.chance(25))
                let expected = Result { try Reference.apply(steps, document) }
                let actual = Result { try apply(transformer, text) }
                switch (expected, actual) {
                case (.success(let expected), .success(let line)):
                    succeeded += 1
                    #expect(!line.utf8.contains(10) && !line.utf8.contains(13))
                    let got = try? JSONValue(parsing: line)
                    #expect(got == expected, "seed \(seed) \(steps) \(text) became \(line)")
                case (.failure(let expected as Reference.Failure), .failure(let error as TransformError)):
                    #expect(expected.reason == error.reason, "seed \(seed) \(steps) \(text)")
                default:
                    Issue.record("seed \(seed): \(expected) but \(actual) for \(steps) of \(text)")
                }
            }
        }
        #expect(succeeded > 3000)
    }

    @Test func mergeIsTheTransformOfTheMerged() throws {
        let seed = newSeed("PropertyTests merge")
        var sample = Sample(random: Seeded(seed))
        sample.keys = ["a", "b", "c", "t", "x:y", "q\\k", "é", "", "n\n\"l", "long-name-of-more-than-8"]
        sample.isAmbiguous = false
        var succeeded = 0
        var mergedByKey = 0
        for _ in 0..<6000 {
            let steps = (0..<Int.random(in: 1..<5, using: &sample.random)).map { _ in sample.partialStep() }
            guard Transformer.partialUnsafe(steps).isEmpty else { continue }
            let transformer = Transformer(steps)
            let document = JSONValue.object(sample.objectWithMaps())
            let partial = JSONValue.object(sample.objectWithMaps())
            guard !sample.hasObjectInArray(document) else { continue }
            let pretty = sample.random.chance(25)
            guard let whole = try? apply(transformer, Reference.deepMerge(document, partial).text()),
                let base = try? apply(transformer, document.text()), (try? apply(transformer, partial.text())) != nil
            else { continue }
            succeeded += 1
            for case .keyToValue(let options) in steps
            where document[path: options.field]?.object != nil && partial[path: options.field]?.object != nil {
                mergedByKey += 1
            }
            let basis = pretty ? try JSONValue(parsing: base).text(pretty: true) : base
            let merged = try merge(transformer, basis, partial.text(pretty: pretty), .deep)
            #expect(
                try JSONValue(parsing: merged) == JSONValue(parsing: whole),
                "seed \(seed) \(steps)\n \(document)\n \(partial)\n base \(base)")
            let again = try merge(transformer, merged, partial.text(), .deep)
            #expect(try JSONValue(parsing: again) == JSONValue(parsing: merged), "seed \(seed)")
        }
        print("merge cases: \(succeeded), by key: \(mergedByKey)")
        #expect(succeeded > 500 && mergedByKey > 300)
    }

    /// Nothing from outside may trap: whatever bytes come, there is an error or one line of valid JSON.
    @Test func brokenDocumentsAreRefusedOrComeOutValid() throws {
        let seed = newSeed("PropertyTests fuzz")
        var sample = Sample(random: Seeded(seed))
        let out = ByteBuffer()
        for _ in 0..<300 {
            let transformer = Transformer((0..<3).map { _ in sample.step() })
            for _ in 0..<20 {
                let document = sample.broken(JSONValue.object(sample.object(3)))
                let base = sample.broken(JSONValue.object(sample.object(3)))
                out.removeAll()
                document.withUnsafeBufferPointer { document in
                    base.withUnsafeBufferPointer { base in
                        if (try? transformer.apply(document, into: out)) == nil { #expect(out.count == 0) }
                        if out.count > 0 { #expect((try? JSONScanner.validate(out.bytes)) != nil, "seed \(seed)") }
                        out.removeAll()
                        try? transformer.merge(base: base, partial: document, mode: .deep, into: out)
                        if out.count > 0 { #expect((try? JSONScanner.validate(out.bytes)) != nil, "seed \(seed)") }
                    }
                }
            }
        }
    }
}

extension Sample {
    /// Steps that `partialUnsafe` may pass; the targets are names that documents do not have.
    mutating func partialStep() -> TransformStep {
        if random.chance(40) {
            return .keyToValue(
                KeyToValue(
                    field: random.pick([JSONPath(names: ["t"]), JSONPath(names: ["a", "t"])]),
                    null: random.pick([.keep, .drop]), empty: random.pick([.keep, .drop])))
        }
        if random.chance(20) { return insideMaps() }
        return switch step() {
        case .rename(let from, let to): .rename(from: from, to: target(from, to))
        case .copy(let from, let to): .copy(from: from, to: target(from, to))
        case let other: other
        }
    }

    /// A step on what is in a map that a later step may flatten.
    private mutating func insideMaps() -> TransformStep {
        let paths = (0..<random.pick([1, 2, 4])).map { _ in
            JSONPath(
                names: random.pick([["t"], ["t"], ["a", "t"]])
                    + (0..<random.pick([1, 2, 2, 3])).map { _ in random.pick(["a", "b", "c", "t", "é"]) })
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return .remove(paths)
        case 1: return .rename(from: paths[0], to: target(paths[0], paths[0]))
        case 2: return .copy(from: paths[0], to: target(paths[0], paths[0]))
        default: return .keep(paths)
        }
    }

    /// An object that is likely to have maps, of which some keys are the same from one to the next.
    mutating func objectWithMaps() -> JSONObject {
        var object = object(3)
        for name in ["t", "a"] where random.chance(70) { object[name] = .object(self.object(2)) }
        if random.chance(50), var holder = object["a"]?.object {
            holder["t"] = .object(self.object(2))
            object["a"] = .object(holder)
        }
        return object
    }

    /// The text with up to three bytes changed, now and then cut.
    mutating func broken(_ value: JSONValue) -> [UInt8] {
        var bytes = Array(value.text(pretty: random.chance(30)).utf8)
        for _ in 0..<Int.random(in: 0..<4, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] =
                random.chance(50)
                ? UInt8.random(in: 0...255, using: &random) : random.pick(Array("{}[]\",:\\ntf0-.e ".utf8))
        }
        if random.chance(10) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
        return bytes
    }

    private mutating func target(_ from: JSONPath, _ to: JSONPath) -> JSONPath {
        let sibling = JSONPath(names: from.names.dropLast() + [random.pick(["r1", "r2", "r3"])])
        return random.chance(50) ? sibling : JSONPath(names: [random.pick(["r1", "r2", "r3"])])
    }

    func hasObjectInArray(_ value: JSONValue) -> Bool {
        switch value {
        case .array(let elements): elements.contains { $0.object != nil || $0.array != nil }
        case .object(let object): object.contains { hasObjectInArray($0.value) }
        default: false
        }
    }
}
