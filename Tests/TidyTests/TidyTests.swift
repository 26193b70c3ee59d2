import Foundation
import Testing

@Suite struct TidyTests {
    /// The package's root, found from this file.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every Swift file under `Sources`, with its target.
    static func sources() throws -> [(target: String, source: SourceText)] {
        let folder = root.appending(path: "Sources").resolvingSymlinksInPath()
        let walk = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        let prefix = folder.path + "/"
        var sources: [(String, SourceText)] = []
        for case let file as URL in walk where file.pathExtension == "swift" {
            let path = String(file.path.dropFirst(prefix.count))
            let target = String(path.prefix { $0 != "/" })
            let text = try String(contentsOf: file, encoding: .utf8)
            sources.append((target, SourceText(path: "Sources/\(path)", text: text)))
        }
        return sources
    }

    /// The tests and the manifest, too, have lines that can be read beside each other.
    @Test func linesOfTestsAreShort() throws {
        let folder = Self.root.appending(path: "Tests").resolvingSymlinksInPath()
        let walk = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        var files = [Self.root.appending(path: "Package.swift")]
        for case let file as URL in walk where file.pathExtension == "swift" { files.append(file) }
        #expect(files.count > 20, "the tests were not found")
        let violations = try files.flatMap { file in
            TidyRules.linesAreShort(SourceText(path: file.path, text: try String(contentsOf: file, encoding: .utf8)))
        }
        #expect(violations.isEmpty, "\(violations.sorted().joined(separator: "\n"))")
    }

    @Test func theHouseIsTidy() throws {
        let sources = try Self.sources()
        #expect(sources.count > 20, "the sources were not found")
        let violations = sources.flatMap { TidyRules.all($0.source, target: $0.target) }.sorted()
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
    }

    /// The table itself goes one way: whoever may be imported must not, by any detour, import the importer.
    @Test func theTableHasNoCircle() {
        var settled: Set<String> = []
        var changed = true
        while changed {
            let ready = TidyRules.imports.filter { target, ours in
                !settled.contains(target)
                    && ours.allSatisfy { settled.contains($0) || TidyRules.imports[$0] == nil }
            }
            settled.formUnion(ready.keys)
            changed = !ready.isEmpty
        }
        #expect(settled.count == TidyRules.imports.count)
    }

    // MARK: The rules can fail

    static func violations(_ text: String, target: String = "Migration") -> [String] {
        TidyRules.all(SourceText(path: "x", text: text), target: target)
    }

    static let bad: [(String, String, String)] = [
        ("import Foundation\n", "JSONText", "x:1: JSONText must not import Foundation"),
        (
            "// a\n@preconcurrency import struct Foundation.Data\n", "Commands",
            "x:2: Commands must not import Foundation"
        ),
        ("@testable import Migration\n", "SearchCluster", "x:1: SearchCluster must not import Migration"),
        ("import CommandLog\n", "SearchCluster", "x:1: SearchCluster must not import CommandLog"),
        ("import CLibcurl\n", "Migration", "x:1: Migration must not import CLibcurl"),
        ("import JSONText\n", "Attic", "x:1: the target Attic is not in the table of imports"),
        ("let a = try! f()\n", "Migration", "x:1: try!"),
        ("let a = b as! C\n", "Migration", "x:1: as!"),
        ("let a = b!\n", "Migration", "x:1: a force unwrap"),
        ("let a = b[0]!.c\n", "Migration", "x:1: a force unwrap"),
        ("let a = f()!\n", "Migration", "x:1: a force unwrap"),
        ("var a: String!\n", "Migration", "x:1: a force unwrap"),
        ("let a = \"\\(b!)\"\n", "Migration", "x:1: a force unwrap"),
        ("let a = #\"\\\"#\nlet b = c!\n", "Migration", "x:2: a force unwrap"),
        ("let a = \"\"\"\n  \"b!\"\n  \"\"\"\nlet d = e!\n", "Migration", "x:4: a force unwrap"),
        ("func f() { fatalError(\"no\") }\n", "Migration", "x:1: fatalError"),
        (
            "let a = Unmanaged.passRetained(b)\n", "Pipeline",
            "x:1: Unmanaged, use UncountedSlots or CallbackContext"
        ),
        (
            "let a = b\n    ._withUnsafeGuaranteedRef { $0 }\n", "Pipeline",
            "x:2: _withUnsafeGuaranteedRef, use UncountedSlots or CallbackContext"
        ),
        ("\n// \(String(repeating: "é", count: 118))\n", "Migration", "x:2: 121 columns, more than 120"),
        ("func f() { print(a) }\n", "Migration", "x:1: print(, use StandardStreams"),
        ("fputs(a, stderr)\n", "crossfade", "x:1: fputs(, use StandardStreams"),
        (
            "let c = NSCondition()\n", "Migration",
            "x:1: NSCondition waits by the wall clock, use MonotonicCondition"
        ),
        (
            "f()\nwhile c.wait(until: Date()) {}\n", "Migration",
            "x:2: wait(until: waits by the wall clock, use MonotonicCondition"
        ),
        ("let a = b[\"c\"]?.int ?? 0\n", "State", "x:1: .int of JSON, use count, size, time or compared"),
        (
            "let a = b.compactMap(\\.int)\n", "crossfade",
            "x:1: .int of JSON, use count, size, time or compared"
        ),
        ("if a, let b = Int64(c.d) { e() }\n", "Migration", "x:1: Int64 of a text, use OutsideNumber"),
        ("guard let a = Int(b) else { return }\n", "LogGuard", "x:1: Int of a text, use OutsideNumber"),
        ("let a = b.flatMap({ Int64($0) })\n", "CommandLog", "x:1: Int64 of a text, use OutsideNumber"),
        ("let a = Int(b.c(d)) ?? 1\n", "SearchCluster", "x:1: Int of a text, use OutsideNumber"),
        ("let a = Int64(b).map { $0 + 1 }\n", "Planning", "x:1: Int64 of a text, use OutsideNumber"),
        (
            "let a = b.entries[slice.entry].c\n", "Migration",
            "x:1: a subscript with slice.entry, ask first whether indices.contains(slice.entry)"
        ),
        (
            "Thread.sleep(until: end)\n", "Migration",
            "x:1: sleep(until: waits by the wall clock, use MonotonicCondition"
        ),
    ]

    @Test(arguments: bad) func finds(_ text: String, _ target: String, _ expected: String) {
        #expect(Self.violations(text, target: target) == [expected])
    }

    static let good = [
        "// \(String(repeating: "é", count: 117))\n", "// Unmanaged\n",
        "let a = b != c && !d\n", "// it is b!\n", "/* try! /* b! */ c! */\n", "let a = \"b! try! \\\" fatalError(\"\n",
        "let a = #\"b! \"c!\" \\(d!)\"#\n", "let a = \"\"\"\n  b! \"c!\"\n  \"\"\"\n",
        "import Foundation\nimport JSONText\n",
        "if !a, (!b) { f([!c]) }\n", "func fatal() {}\n",
        "c.wait(milliseconds: 5)\nwait()\n_ = until\n", "func print() {}\na.print()\nprinted(1)\n",
        "let a = b.map { Int($0) }\nlet c = Int(d)\nif let e = Int(exactly: f) { g(Int64(e), .int, int: 1) }\n",
        "guard a.indices.contains(b.entry) else { return }\nlet c = a[b.entry]\n",
    ]

    @Test(arguments: good) func leavesAlone(_ text: String) {
        #expect(Self.violations(text) == [])
    }

    @Test func lengths() {
        func body(_ lines: Int) -> String { String(repeating: "    a()\n", count: lines) }
        #expect(Self.violations("func f() {\n" + body(58) + "}\n") == [])
        #expect(Self.violations("func f() {\n" + body(59) + "}\n") == ["x:1: func f has 61 lines, more than 60"])
        let head =
            "protocol P {\n    func g()\n}\nstruct S {\n    init(\n        _ a: [Int] = { [] }()\n    ) throws(E)\n"
        #expect(Self.violations(head + "    {\n" + body(55) + "    }\n}\n") == [])
        #expect(Self.violations(head + "    {\n" + body(56) + "    }\n}\n") == ["x:5: init has 61 lines, more than 60"])
        let file = String(repeating: "\n", count: 400)
        #expect(Self.violations(file) == [])
        #expect(Self.violations(file + "let a = 1") == ["x:401: the file has more than 400 lines"])
    }

    @Test func noFunctionIsOverlooked() {
        let text = """
            protocol P {
                func none(_ a: Int) -> Int
                var x: Int { get }
            }
            extension P {
                subscript<T>(_ a: T) -> Int where T: P { 1 }
                func one<T>(_ a: (T) -> Void) async throws(E) -> [Int: Int] { [:] }
                func two(
                    _ a: Int
                ) -> Int
                where Self: P {
                    func three() {}
                    return self.init(a)
                }
                deinit {}
            }
            """
        let found = TidyRules.functions(SourceText(path: "x", text: text)).map(\.name)
        #expect(found == ["subscript", "func one", "func two", "func three", "deinit"])
    }
}
