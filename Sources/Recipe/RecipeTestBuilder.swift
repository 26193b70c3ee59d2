import JSONText

/// Makes tests of values that schema and rules found good.
package enum RecipeTestBuilder {
    package static func tests(_ root: RecipeValue) throws(RecipeBuilder.Gap) -> [RecipeTest] {
        let targets = (root["indices"]?.items ?? []).map { $0["to"]?.text ?? "" }
        var tests: [RecipeTest] = []
        for value in root["tests"]?.items ?? [] { tests.append(try test(value, targets)) }
        return tests
    }

    private static func test(_ value: RecipeValue, _ targets: [String]) throws(RecipeBuilder.Gap) -> RecipeTest {
        guard let name = value["name"]?.text, let expect = value["expect"] else {
            throw RecipeBuilder.Gap(mark: value.mark, key: "tests")
        }
        let input: RecipeTest.Input
        if let given = value["record"] {
            input = .record(record(given))
        } else if let given = value["document"], let id = given["id"]?.text, let source = json(given["source"]) {
            let entry = given["index"]?.text.flatMap { targets.firstIndex(of: $0) } ?? 0
            let document = SampleDocument(
                id: id, type: given["type"]?.text, routing: given["routing"]?.text,
                version: given["version"]?.integer, source: Array(source.text().utf8))
            input = .document(document, entry: entry)
        } else {
            throw RecipeBuilder.Gap(mark: value.mark, key: "tests")
        }
        let expected = RecipeTest.Expectation(
            operation: expect["operation"]?.text, index: expect["index"]?.text, id: expect["id"]?.text,
            routing: expect["routing"]?.text, version: expect["version"]?.integer, document: json(expect["document"]),
            reject: expect["reject"]?.text)
        return RecipeTest(name: name, mark: value.mark, input: input, base: json(value["base"]), expected: expected)
    }

    private static func record(_ value: RecipeValue) -> SampleRecord {
        SampleRecord(
            key: value["key_base64"]?.text.flatMap { SampleRecord.bytes(base64: $0) }
                ?? value["key"]?.text.map { Array($0.utf8) },
            value: SampleRecord.bytes(json(value["value"])),
            headers: (value["headers"]?.members ?? []).map { member in
                SampleRecord.Header(name: member.key, value: member.value.text.map { Array($0.utf8) })
            },
            partition: value["partition"]?.integer.flatMap { Int32(exactly: $0) } ?? 0,
            offset: value["offset"]?.integer ?? 0, timestamp: value["timestamp"]?.integer ?? -1)
    }

    private static func json(_ value: RecipeValue?) -> JSONValue? {
        guard case .json(let json, _)? = value?.content else { return nil }
        return json
    }
}
