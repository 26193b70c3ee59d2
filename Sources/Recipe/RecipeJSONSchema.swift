import JSONText

/// The table of keys as JSON Schema, for editors that complete and check YAML.
extension RecipeText {
    /// Draft 2020-12.
    package static let jsonSchema: JSONValue = {
        var schema: JSONObject = [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Crossfade recipe",
        ]
        for (key, value) in object(RecipeSchema.root) { schema[key] = value }
        return .object(schema)
    }()

    private static func object(_ section: RecipeSection) -> JSONObject {
        var schema: JSONObject = [
            "type": "object",
            "properties": .object(JSONObject(section.keys.map { ($0.name, property($0)) })),
            "additionalProperties": false,
        ]
        let required = section.keys.filter(\.required).map { JSONValue.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        if section.exactlyOne {
            schema["minProperties"] = 1
            schema["maxProperties"] = 1
        }
        return schema
    }

    private static func property(_ key: RecipeKey) -> JSONValue {
        var schema = self.schema(key.type)
        schema["description"] = .string(key.doc)
        if let standard = key.standard, let node = try? YAMLLoader.load(Array(standard.utf8)).root {
            schema["default"] = RecipeChecker.json(node, shown: true)
        }
        return .object(schema)
    }

    private static func schema(_ type: RecipeType) -> JSONObject {
        switch type {
        case .scalar(let scalar):
            var schema: JSONObject = ["type": ["string", "number", "boolean"]]
            if let pattern = scalar.pattern {
                // A substitution stands for a value that no editor knows.
                schema["pattern"] = .string(pattern.count > 1 ? "(\(pattern))|\\$\\{" : pattern)
            }
            return schema
        case .choice(let words): return ["enum": .array(words.map { .string($0) })]
        case .integer(let range):
            var number: JSONObject = ["type": "integer", "minimum": .number(range.lowerBound)]
            if range.upperBound != .max { number["maximum"] = .number(range.upperBound) }
            return either([number, substitution])
        case .flag: return either([["type": "boolean"], substitution])
        case .list(let item, let orOne, let allowsEmpty):
            let item = schema(item)
            var list: JSONObject = ["type": "array", "items": .object(item)]
            if !allowsEmpty { list["minItems"] = 1 }
            return orOne ? either([list, item]) : list
        case .section(let section):
            let object = object(section)
            guard let name = section.shorthand, let key = section.key(name) else { return object }
            return either([object, schema(key.type)])
        case .words(let words, let other):
            return either([["enum": .array(words.map { .string($0) })], schema(other)])
        case .properties:
            return ["type": "object", "additionalProperties": ["type": ["string", "number", "boolean"]]]
        case .offsets:
            return [
                "type": "object", "propertyNames": ["pattern": "^[0-9]+$"],
                "additionalProperties": ["type": "integer", "minimum": 0], "minProperties": 1,
            ]
        case .jsonObject: return ["type": ["string", "object"]]
        case .json: return [:]
        }
    }

    private static let substitution: JSONObject = ["type": "string", "pattern": "\\$\\{"]

    private static func either(_ schemas: [JSONObject]) -> JSONObject {
        ["anyOf": .array(schemas.map { .object($0) })]
    }
}
