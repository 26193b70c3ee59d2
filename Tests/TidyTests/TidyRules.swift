/// The rules of the house. Each gives its violations as `path:line: what`.
enum TidyRules {
    static let longestFile = 400
    static let longestFunction = 60
    /// Characters, not bytes. swift-format breaks code, but leaves comments and literals as they are.
    static let longestLine = 120

    /// What each target may import of ours, beyond itself: as Package.swift says, checked again here, because a target
    /// that is built already can be imported without being named there. Imports go one way.
    static let imports: [String: Set<String>] = [
        "Basics": [],
        "Runtime": ["CThreads", "Basics"],
        "JSONText": ["CBytes"],
        "Commands": ["JSONText"],
        "Transform": ["Basics", "JSONText", "Commands"],
        "Indexing": ["Basics", "JSONText", "Commands", "Transform"],
        "Telemetry": [],
        "CommandLog": ["CLibrdkafka", "Basics", "JSONText", "Commands", "Telemetry"],
        "SearchCluster": ["CLibcurl", "Basics", "Runtime", "JSONText", "Commands", "Indexing", "Telemetry"],
        "Failures": ["Basics"],
        "Schema": ["JSONText", "Commands", "Transform", "Failures"],
        "LogGuard": [
            "CXXHash", "Basics", "JSONText", "Commands", "Indexing", "Telemetry", "Runtime", "Failures", "CommandLog",
        ],
        "Recipe": [
            "CLibyaml", "Basics", "JSONText", "Commands", "Transform", "Indexing", "Telemetry", "Failures",
            "CommandLog", "SearchCluster",
        ],
        "State": [
            "Basics", "JSONText", "Commands", "Indexing", "Parity", "Cutover", "Telemetry", "Runtime", "Failures",
            "Schema",
            "LogGuard", "SearchCluster",
        ],
        "DeadLetters": [
            "Basics", "JSONText", "Commands", "Indexing", "Telemetry", "Runtime", "Failures", "CommandLog",
        ],
        "Pipeline": [
            "Basics", "JSONText", "Commands", "Transform", "Indexing", "Telemetry", "Runtime", "Failures", "CommandLog",
            "SearchCluster", "LogGuard", "DeadLetters",
        ],
        "Planning": [
            "CXXHash", "Basics", "JSONText", "Commands", "Cutover", "Transform", "Indexing", "Telemetry", "Runtime",
            "Failures", "Schema", "Parity", "CommandLog", "SearchCluster", "LogGuard", "Recipe", "State", "DeadLetters",
        ],
        "Migration": [
            "JSONText", "Commands", "Parity", "Cutover", "Transform", "Indexing", "Telemetry", "Runtime", "Failures",
            "Schema", "CommandLog", "SearchCluster", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline",
            "Planning",
        ],
        "Cutover": ["JSONText"],
        "Parity": ["CXXHash", "Basics", "JSONText", "Commands", "Transform", "Indexing"],
        "Verification": [
            "Basics", "JSONText", "Commands", "Transform", "Indexing", "Parity", "Telemetry", "Runtime", "Failures",
            "Schema", "CommandLog", "SearchCluster", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline",
            "Planning", "Migration",
        ],
        "CutoverWork": [
            "Basics", "JSONText", "Commands", "Cutover", "Parity", "Telemetry", "Runtime", "Failures", "Schema",
            "CommandLog", "SearchCluster", "Recipe", "State", "DeadLetters", "Planning", "Migration", "Verification",
        ],
        "Trial": [
            "Basics", "JSONText", "Commands", "Transform", "Indexing", "Telemetry", "Runtime", "Failures", "Schema",
            "CommandLog", "SearchCluster", "Recipe", "Pipeline",
        ],
        "HTTPServer": ["CLibmicrohttpd", "Basics"],
        "Embedded": [
            "Basics", "JSONText", "Commands", "Transform", "Indexing", "CommandLog", "SearchCluster", "HTTPServer",
        ],
        "Operations": [
            "Basics", "JSONText", "Commands", "Indexing", "Telemetry", "CommandLog", "SearchCluster", "HTTPServer",
            "Runtime", "Failures", "Schema", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline", "Planning",
            "Migration",
        ],
        "crossfade": [
            "Basics", "JSONText", "Commands", "Transform", "Indexing", "Telemetry", "CommandLog", "SearchCluster",
            "HTTPServer", "Runtime", "Failures", "Schema", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline",
            "Planning", "Migration", "Parity", "Cutover", "CutoverWork", "Verification", "Trial", "Operations",
            "Embedded",
        ],
    ]

    /// No clock, no I/O, no lock, no Foundation: these import nothing but what the table says.
    static let pure: Set<String> = [
        "Basics", "JSONText", "Commands", "Transform", "Indexing", "Failures", "Schema", "Parity", "Cutover",
    ]

    /// What comes with the toolchain, for all the others.
    static let toolchain: Set<String> = [
        "Foundation", "FoundationEssentials", "Synchronization", "Dispatch", "Glibc", "RegexBuilder",
    ]

    static func all(_ source: SourceText, target: String) -> [String] {
        importsOneWay(source, target: target) + fileIsShort(source) + functionsAreShort(source) + nothingTraps(source)
            + waitsAreMonotonic(source) + linesAreShort(source) + referencesAreCounted(source, target: target)
            + outputHasOneDoor(source) + numbersAreInBounds(source, target: target)
    }

    static func importsOneWay(_ source: SourceText, target: String) -> [String] {
        guard let ours = imports[target] else {
            return ["\(source.path):1: the target \(target) is not in the table of imports"]
        }
        let allowed = pure.contains(target) ? ours : ours.union(toolchain)
        let words = source.words
        return words.indices.compactMap { index in
            guard words[index].word == "import", let module = imported(words[(index + 1)...]) else { return nil }
            guard !allowed.contains(module) else { return nil }
            return "\(source.path):\(source.line(at: words[index].start)): \(target) must not import \(module)"
        }
    }

    /// The module of an import: `import struct Foundation.Data` is one of Foundation.
    private static func imported(_ words: ArraySlice<(word: String, start: Int, end: Int)>) -> String? {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "let", "var", "typealias", "actor"]
        return words.first { !kinds.contains($0.word) }?.word
    }

    static func fileIsShort(_ source: SourceText) -> [String] {
        let count = source.lineCount
        return count <= longestFile ? [] : ["\(source.path):\(count): the file has more than \(longestFile) lines"]
    }

    static func linesAreShort(_ source: SourceText) -> [String] {
        zip(1..., source.lines).compactMap { number, line in
            // Most lines have fewer bytes than that, and to count bytes is quick.
            guard line.utf8.count > longestLine, line.count > longestLine else { return nil }
            return "\(source.path):\(number): \(line.count) columns, more than \(longestLine)"
        }
    }

    /// References are handled by hand in one room only, by types that say why: `UncountedSlots` and `CallbackContext`.
    static func referencesAreCounted(_ source: SourceText, target: String) -> [String] {
        guard target != "Basics" else { return [] }
        return source.words.filter { ["Unmanaged", "_withUnsafeGuaranteedRef"].contains($0.word) }.map {
            "\(source.path):\(source.line(at: $0.start)): \($0.word), use UncountedSlots or CallbackContext"
        }
    }

    static func functionsAreShort(_ source: SourceText) -> [String] {
        functions(source).compactMap { function in
            let length = function.last - function.first + 1
            guard length > longestFunction else { return nil }
            return
                "\(source.path):\(function.first): \(function.name) has \(length) lines, more than \(longestFunction)"
        }
    }

    /// Every function, initialiser and subscript with a body: from the line of its keyword to that of its last brace.
    static func functions(_ source: SourceText) -> [(name: String, first: Int, last: Int)] {
        let words = source.words
        var functions: [(String, Int, Int)] = []
        for index in words.indices {
            let word = words[index]
            let before = word.start > 0 ? source.code[word.start - 1] : 0
            guard ["func", "init", "deinit", "subscript"].contains(word.word) else { continue }
            // A call (`self.init(...)`) or an escaped name is no declaration.
            guard before != UInt8(ascii: "."), before != UInt8(ascii: "`") else { continue }
            guard let open = body(source.code, from: word.end), let close = matching(source.code, open) else {
                continue
            }
            let next = index + 1 < words.count ? words[index + 1].word : ""
            let name = word.word == "func" ? "func \(next)" : word.word
            functions.append((name, source.line(at: word.start), source.line(at: close)))
        }
        return functions
    }

    /// The opening brace of the body of the declaration whose keyword ends at `start`; nil when it has none, as in a
    /// protocol.
    private static func body(_ code: [UInt8], from start: Int) -> Int? {
        var depth = 0
        var isAfterParameters = false
        var lastSolid: UInt8 = 0
        for at in start..<code.count {
            switch code[at] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"):
                depth -= 1
                if depth < 0 { return nil }
                if depth == 0 { isAfterParameters = true }
            case UInt8(ascii: "{") where depth == 0: return at
            case UInt8(ascii: "}") where depth == 0: return nil
            // A declaration without a body ends with its line, unless the line plainly goes on.
            case UInt8(ascii: "\n") where depth == 0 && isAfterParameters:
                let next = code[at...].first { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: " ") }
                let goesOn = next == UInt8(ascii: "{") || next == UInt8(ascii: "-") || lastSolid == UInt8(ascii: ",")
                if !goesOn, !continues(code, at) { return nil }
            default: break
            }
            if code[at] != UInt8(ascii: " "), code[at] != UInt8(ascii: "\n") { lastSolid = code[at] }
        }
        return nil
    }

    /// Whether the line after the line end at `at` goes on with a declaration's head.
    private static func continues(_ code: [UInt8], _ at: Int) -> Bool {
        let rest = code[at...].drop { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: " ") }
        let word = String(decoding: rest.prefix { SourceText.isWord($0) }, as: UTF8.self)
        return ["throws", "rethrows", "async", "where"].contains(word)
    }

    private static func matching(_ code: [UInt8], _ open: Int) -> Int? {
        var depth = 0
        for at in open..<code.count {
            if code[at] == UInt8(ascii: "{") { depth += 1 }
            if code[at] == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { return at }
            }
        }
        return nil
    }

    /// No `try!`, `as!`, `x!` (a type's too) and no `fatalError`: nothing from outside may end the process.
    static func nothingTraps(_ source: SourceText) -> [String] {
        var found: [String] = []
        for word in source.words {
            let next = word.end < source.code.count ? source.code[word.end] : 0
            let isForced = next == UInt8(ascii: "!")
            if isForced, word.word == "try" || word.word == "as" {
                found.append("\(source.path):\(source.line(at: word.start)): \(word.word)!")
            }
            if ["fatalError", "preconditionFailure"].contains(word.word), next == UInt8(ascii: "(") {
                found.append("\(source.path):\(source.line(at: word.start)): \(word.word)")
            }
        }
        for at in source.code.indices.dropFirst() where source.code[at] == UInt8(ascii: "!") {
            let before = source.code[at - 1]
            let isOperand =
                SourceText.isWord(before) || [")", "]", "}", "?", "\"", "!"].contains { $0 == UnicodeScalar(before) }
            let isComparison = at + 1 < source.code.count && source.code[at + 1] == UInt8(ascii: "=")
            guard isOperand, !isComparison, !isKeyword(source.code[..<at]) else { continue }
            found.append("\(source.path):\(source.line(at: at)): a force unwrap")
        }
        return found
    }

    /// No wait that ends at a time of day: when the clock is set back, it ends late. `MonotonicCondition` is the one
    /// condition.
    static func waitsAreMonotonic(_ source: SourceText) -> [String] {
        source.words.indices.compactMap { index in
            let word = source.words[index]
            let next = index + 1 < source.words.count ? source.words[index + 1].word : ""
            let opens = word.end < source.code.count && source.code[word.end] == UInt8(ascii: "(")
            let wait: String? =
                switch word.word {
                case "NSCondition", "NSConditionLock", "wallTimeout": word.word
                case "wait" where opens && next == "until", "sleep" where opens && next == "until":
                    "\(word.word)(until:"
                default: nil
                }
            return wait.map {
                "\(source.path):\(source.line(at: word.start)): \($0) waits by the wall clock, use MonotonicCondition"
            }
        }
    }

    /// `StandardStreams` escapes what a terminal would obey, so nothing else writes to standard output or standard
    /// error.
    static func outputHasOneDoor(_ source: SourceText) -> [String] {
        let doors = ["print", "debugPrint", "dump", "puts", "fputs", "putchar", "printf", "perror"]
        return source.words.indices.compactMap { index in
            let word = source.words[index]
            let isCall = word.end < source.code.count && source.code[word.end] == UInt8(ascii: "(")
            let isMember = word.start > 0 && source.code[word.start - 1] == UInt8(ascii: ".")
            let isDeclared = index > 0 && source.words[index - 1].word == "func"
            guard doors.contains(String(word.word)), isCall, !isMember, !isDeclared else { return nil }
            return "\(source.path):\(source.line(at: word.start)): \(word.word)(, use StandardStreams"
        }
    }

    /// `try` and `as` have their own message.
    private static func isKeyword(_ code: ArraySlice<UInt8>) -> Bool {
        let word = String(decoding: code.reversed().prefix { SourceText.isWord($0) }.reversed(), as: UTF8.self)
        return word == "try" || word == "as"
    }
}
