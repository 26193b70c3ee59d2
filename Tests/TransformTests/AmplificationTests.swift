import JSONText
import Testing

@testable import Transform

/// Documents that are small and once took long or filled the memory. Work is counted in steps, never timed: an input of
/// twice the length may take twice the steps.
struct AmplificationTests {
    private func visits(_ steps: [TransformStep], _ text: String) throws -> Int {
        let transformer = Transformer(steps)
        _ = try apply(transformer, text)
        return transformer.arena.visits
    }

    private func mergeVisits(_ steps: [TransformStep], _ base: String, _ partial: String) throws -> Int {
        let transformer = Transformer(steps)
        _ = try merge(transformer, base, partial, .deep)
        return transformer.arena.visits
    }

    private func nested(_ open: String, _ close: String, _ levels: Int, _ inside: String) -> String {
        String(repeating: open, count: levels) + inside + String(repeating: close, count: levels)
    }

    /// 720 KB of `{"tags":1,"tags":1,...}` took 8.6 seconds.
    @Test(arguments: [nil, "other"]) func aKnownNameThatIsRepeated(_ between: String?) throws {
        func text(_ count: Int) -> String {
            let more = between.map { ",\"\($0)\":1" } ?? ""
            return "{" + Array(repeating: "\"tags\":1\(more)", count: count).joined(separator: ",") + "}"
        }
        let once = try visits([.remove([path("tags")])], text(2_000))
        #expect(try visits([.remove([path("tags")])], text(4_000)) <= 2 * once + 10)
        #expect(try apply([.set(field: path("x"), json: "1", ifMissing: true)], "{\"x\":1,\"x\":2}") == "{\"x\":2}")
    }

    @Test func ofRepeatedNamesInInnerObjectsTheLastCountsToo() throws {
        let text = #"{"a":{"a":1,"a":{"a":2}},"b":[{"a":1,"a":2},{"a":3}],"a":{"a":{"a":4,"a":5},"a":{"a":6}}}"#
        #expect(try apply([.rename(from: path("a.a.a"), to: path("c"))], text).hasSuffix("\"c\":6}"))
    }

    /// 1 MB of numbers in 900 nested arrays took 9 seconds.
    @Test(arguments: [900]) func numbersInNestedArrays(_ levels: Int) throws {
        let numbers = Array(repeating: "1", count: 50_000).joined(separator: ",")
        let arrays = nested("[", "]", levels, numbers)
        let text = "{\"tags\":{\"a\":\(arrays)},\"moved\":\(arrays)}"
        for steps: [TransformStep] in [
            [tags()], [.cast(field: path("tags.a"), to: .string)], [.lowercase(path("tags.a"))],
            [.rename(from: path("moved"), to: path("there")), .remove([path("there.x.y")])],
        ] {
            // Each byte may be passed a few times, and not once for each level.
            #expect(try visits(steps, text) < 20 * text.utf8.count, "\(steps)")
        }
    }

    @Test func objectsInNestedObjects() throws {
        let numbers = (0..<20_000).map { "\"k\($0)\":1" }.joined(separator: ",")
        let deep = nested("{\"a\":", "}", 400, "{\(numbers)}")
        #expect(try visits([.cast(field: path("x"), to: .string)], "{\"x\":1,\"y\":\(deep)}") < 100)
        #expect(try mergeVisits([], "{\"x\":\(deep)}", "{\"x\":\(deep)}") < 30 * 2 * deep.utf8.count)
        let list = Array(repeating: "1", count: 20_000).joined(separator: ",")
        let flat = nested("{\"a\":", "}", 400, "{\"b\":[\(list)]}")
        // The key of each pair is compared, which is as much as is written.
        let text = "{\"tags\":\(flat)}"
        #expect(try visits([tags()], text) < 20 * flat.utf8.count + 4 * apply([tags()], text).utf8.count)
    }

    /// Whether ends are looked up or searched for, the result is the same.
    @Test func deepTextComesOutWhole() throws {
        let inside = Array(repeating: #"{"a":[1,"]}\"",{"b":[[2]]}]}"#, count: 8_000).joined(separator: ",")
        let deep = nested("[", "]", 40, inside)
        let flat = try apply([tags()], "{\"tags\":{\"x\":\(deep)}}")
        let level = try apply([tags()], "{\"tags\":{\"x\":[\(inside)]}}")
        #expect(flat == level)
        #expect(try merge([], "{\"x\":{\"y\":\(deep)}}", "{\"x\":{\"z\":1}}") == "{\"x\":{\"y\":\(deep),\"z\":1}}")
    }

    /// 590 KB with a key of 2 KB over 60,000 members became 122 MB, and 149 MB were kept in every transformer for good.
    @Test func aLongKeyOverManyMembers() throws {
        let key = String(repeating: "k", count: 2_000)
        func text(_ count: Int) -> String {
            "{\"tags\":{\"\(key)\":{" + (0..<count).map { "\"\($0)\":1" }.joined(separator: ",") + "}}}"
        }
        do {
            _ = try apply([tags()], text(60_000))
            Issue.record("it was written")
        } catch let error as TransformError {
            #expect(error.reason == "too_large")
            #expect(error.detail.contains("document_growth"))
        }
        #expect(try apply([tags()], text(1_000)).utf8.count > 2_000_000)
    }

    @Test func memoryIsGivenBackAfterAGiant() throws {
        let key = String(repeating: "k", count: 200)
        let members = (0..<100_000).map { "\"\($0)\":[1,2]" }.joined(separator: ",")
        let transformer = Transformer([tags()])
        let giant = "{\"tags\":{\"\(key)\":{\(members)}}}"
        _ = try apply(transformer, giant)
        _ = try merge(transformer, "{\"tags\":[]}", giant, .deep)
        _ = try apply(transformer, "{\"tags\":{" + (0..<100_000).map { "\"\($0)\":1" }.joined(separator: ",") + "}}")
        for buffer in [
            transformer.keys, transformer.scratch, transformer.copy, transformer.compacted, transformer.compactedBase,
        ] {
            #expect(buffer.capacity <= 1 << 20)
        }
        for list in [transformer.collected, transformer.members, transformer.leaves, transformer.removals] {
            #expect(list.capacity <= 1 << 15)
        }
        #expect(transformer.arena.capacity <= 1 << 15)
    }

    /// The recipe's `copy` may make more of a document than the limit.
    @Test func manyCopiesOfALargeField() {
        let steps = (0..<20).map { TransformStep.copy(from: path("a"), to: path("b\($0)")) }
        let text = "{\"a\":\"\(String(repeating: "x", count: 15 << 20))\"}"
        #expect(reason(steps, text) == "too_large")
    }

    /// A key of many dots was looked up once for each dot, and each time compared from its beginning.
    @Test func aKeyOfManyDots() throws {
        func work(_ dots: Int) throws -> Int {
            let key = String(repeating: "a.", count: dots)
            let base = "{\"tags\":[{\"keyToValue\":\"\(key)x:1\",\"value\":\"1\"}]}"
            let partial = "{\"tags\":{\"\(key)y\":1,\"\(key)\":1,\"a\":{\"b\":1},\"z\":2}}"
            return try mergeVisits([tags()], base, partial)
        }
        #expect(try work(20_000) <= 2 * work(10_000) + 100)
    }

    @Test func aRemovalReplacesTheKeysBelowItsDot() throws {
        let pairs = ["a", "a.b", "a.b.c", "ab", "a b", "b.c", "b.c.d", "c", "c.", "c.d", ".x"]
        let base =
            "{\"tags\":[" + pairs.map { "{\"keyToValue\":\"\($0):1\",\"value\":\"1\"}" }.joined(separator: ",") + "]}"
        func kept(_ partial: String) throws -> [String] {
            let merged = try merge([tags()], base, "{\"tags\":\(partial)}")
            return pairs.filter { merged.contains("\"\($0):1\"") }
        }
        #expect(try kept(#"{"a":null}"#) == ["ab", "a b", "b.c", "b.c.d", "c", "c.", "c.d", ".x"])
        #expect(try kept(#"{"a":{"b":null}}"#) == ["ab", "a b", "b.c", "b.c.d", "c", "c.", "c.d", ".x"])
        #expect(try kept(#"{"b":{"c":null},"c.":null,"":null}"#) == ["a", "a.b", "a.b.c", "ab", "a b", "c", "c.d"])
    }
}
