import JSONText

/// How an index keeps the text of its documents (`_source`), by its mapping and its settings.
package struct SourceStorage: Sendable, Equatable {
    /// No text is kept.
    package private(set) var isDisabled = false
    /// Fields that are kept, when not all are; fields that are left out. Patterns with `*`.
    package private(set) var includes: [String] = []
    package private(set) var excludes: [String] = []
    /// The setting that says that the text is not kept but made of what is indexed; nil: none does.
    package private(set) var synthetic: String?

    /// Every field is given back as it was written.
    package var isWhole: Bool { !isDisabled && !isFiltered && synthetic == nil }
    package var isFiltered: Bool { !includes.isEmpty || !excludes.isEmpty }

    package init() {}

    /// - Parameters:
    ///   - mappings: without types around them; one for each type.
    ///   - settings: as a server gives them, or as a user writes them: nested, with dots, with or without `index`.
    package init(mappings: [JSONValue], settings: JSONValue?) {
        var mode: String?
        for mapping in mappings {
            let source = mapping["_source"]
            if Self.isFalse(source?["enabled"]) { isDisabled = true }
            includes += Self.names(source?["includes"])
            excludes += Self.names(source?["excludes"])
            if Self.isTrue(source?["synthetic"]) { synthetic = "_source.synthetic: true" }
            mode = source?["mode"]?.string ?? mode
            if mode == "synthetic" { synthetic = "_source.mode: synthetic" }
        }
        if mode == nil, let value = Self.setting("mapping.source.mode", settings)?.string {
            mode = value
            if value == "synthetic" { synthetic = "index.mapping.source.mode: synthetic" }
        }
        if mode == "disabled" { isDisabled = true }
        // These modes imply it, unless something says otherwise.
        if mode == nil, let value = Self.setting("mode", settings)?.string, ["logsdb", "time_series"].contains(value) {
            synthetic = "index.mode: \(value)"
        }
        // OpenSearch's name for it.
        if Self.isTrue(Self.setting("derived_source.enabled", settings)) {
            synthetic = "index.derived_source.enabled: true"
        }
    }

    private static func names(_ value: JSONValue?) -> [String] {
        if let one = value?.string { return [one] }
        return (value?.array ?? []).compactMap(\.string)
    }

    // 1.x gives such settings as the user wrote them: false or "false".
    private static func isFalse(_ value: JSONValue?) -> Bool { value?.bool == false || value?.string == "false" }
    private static func isTrue(_ value: JSONValue?) -> Bool { value?.bool == true || value?.string == "true" }

    /// A setting of an index, whichever way it is nested.
    static func setting(_ name: String, _ settings: JSONValue?) -> JSONValue? {
        let names = name.split(separator: ".").map(String.init)
        return find(["index"] + names, settings) ?? find(["settings", "index"] + names, settings)
            ?? find(names, settings)
    }

    private static func find(_ names: [String], _ value: JSONValue?) -> JSONValue? {
        guard !names.isEmpty else { return value }
        guard let value, value.object != nil else { return nil }
        for length in 1...names.count {
            let key = names[..<length].joined(separator: ".")
            if let inner = value[key], let found = find(Array(names[length...]), inner) { return found }
        }
        return nil
    }
}
