import Commands
import JSONText
import Recipe

extension RecipeTest {
    /// A place where the result differs from what the test expects. `expected` or `found` is nil if there is nothing.
    package struct Difference: Sendable, Equatable {
        /// A dotted path such as `document.tags[0].value`.
        package var path: String
        package var expected: JSONValue?
        package var found: JSONValue?
    }

    /// The result of a test.
    package struct Verdict: Sendable {
        package var test: RecipeTest
        package var differences: [Difference]
        /// Why the sample was rejected; nil: it was not.
        package var reject: Reject?

        package var passed: Bool { differences.isEmpty }
    }

    /// Runs the test. It needs no server.
    package func run(_ trial: RecipeTrial) -> Verdict {
        let fate: RecipeTrial.Fate
        switch input {
        case .record(let record): fate = trial.decide(record) { _, _, _ in base.map { Array($0.text().utf8) } }
        case .document(let document, let entry): fate = trial.decide(document, entry: entry)
        }
        var reject: Reject?
        if case .rejected(let why) = fate { reject = why }
        return Verdict(test: self, differences: differences(fate), reject: reject)
    }

    private func differences(_ fate: RecipeTrial.Fate) -> [Difference] {
        let write: RecipeTrial.Write?
        let operation: String
        var reason: String?
        switch fate {
        case .write(let found):
            write = found
            operation = found.kind.name
        case .skipped:
            write = nil
            operation = "skip"
        case .rejected(let reject):
            write = nil
            operation = "reject"
            reason = reject.reason
        }
        var found: [Difference] = []
        func compare(_ path: String, _ expected: JSONValue?, _ present: JSONValue?) {
            guard let expected, expected != present ?? .null else { return }
            found.append(Difference(path: path, expected: expected, found: present))
        }
        compare(
            "operation", (expected.operation ?? expected.reject.map { _ in "reject" }).map { .string($0) },
            .string(operation))
        compare("reject", expected.reject.map { .string($0) }, reason.map { .string($0) })
        // If nothing is written, one difference says so. Listing all missing parts of a write would only repeat it.
        guard let write else {
            if found.isEmpty, expected.reject == nil, expected.operation == nil {
                found.append(Difference(path: "operation", expected: "a write", found: .string(operation)))
            }
            return found
        }
        compare("index", expected.index.map { .string($0) }, .string(write.index))
        compare("id", expected.id.map { .string($0) }, .string(write.id))
        compare("routing", expected.routing.map { .string($0) }, .string(write.routing ?? ""))
        compare("version", expected.version.map { .number($0) }, .number(write.version))
        if let document = expected.document {
            found += JSONDifference.between(document, write.document, at: "document")
        }
        return found
    }
}

/// Where two JSON values differ.
package enum JSONDifference {
    /// Each differing place once, as deep as both values go. Numbers are compared by value.
    package static func between(_ expected: JSONValue?, _ found: JSONValue?, at path: String) -> [RecipeTest.Difference]
    {
        switch (expected, found) {
        case (.object(let one)?, .object(let other)?):
            let names = one.keys + other.keys.filter { one[$0] == nil }
            return names.flatMap { between(one[$0], other[$0], at: path + "." + escaped($0)) }
        case (.array(let one)?, .array(let other)?):
            return (0..<max(one.count, other.count)).flatMap { index in
                between(
                    index < one.count ? one[index] : nil, index < other.count ? other[index] : nil,
                    at: "\(path)[\(index)]")
            }
        case (.number(let one)?, .number(let other)?) where isSame(one, other): return []
        default:
            return expected == found ? [] : [RecipeTest.Difference(path: path, expected: expected, found: found)]
        }
    }

    private static func escaped(_ name: String) -> String {
        name.replacing("\\", with: "\\\\").replacing(".", with: "\\.")
    }

    /// Numbers that a `Double` cannot tell apart are compared by their text.
    private static func isSame(_ one: String, _ other: String) -> Bool {
        if one == other { return true }
        let isExact = one.filter(\.isNumber).count <= 15 && other.filter(\.isNumber).count <= 15
        return isExact && Double(one) != nil && Double(one) == Double(other)
    }
}
