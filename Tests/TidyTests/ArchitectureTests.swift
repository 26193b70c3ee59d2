import Foundation
import Testing

/// docs/architecture.md draws the rooms as they are.
@Suite struct ArchitectureTests {
    struct Row {
        let room: String
        let isPure: Bool
        let imports: [String]
    }

    /// The rows of the table of rooms, in their order.
    static func rows(of page: String) throws -> [Row] {
        let begin = try #require(page.range(of: "<!-- table: rooms -->\n"))
        let end = try #require(page.range(of: "<!-- end -->", range: begin.upperBound..<page.endIndex))
        return page[begin.upperBound..<end.lowerBound].split(separator: "\n").dropFirst(2).map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let names = cells.last.map { $0.split(separator: ", ").map(String.init) } ?? []
            return Row(
                room: String(cells[0].split(separator: "*")[0]), isPure: cells[0].hasSuffix("*pure*"),
                imports: names == ["nothing"] ? [] : names)
        }
    }

    /// What is wrong with the table.
    static func faults(_ rows: [Row]) -> [String] {
        var faults: [String] = []
        // Each room above, with all that it imports by any way.
        var reached: [String: Set<String>] = [:]
        for row in rows {
            let allowed = TidyRules.imports[row.room] ?? []
            var all = Set(row.imports)
            for name in row.imports {
                if !allowed.contains(name) { faults.append("\(row.room) must not import \(name)") }
                if TidyRules.imports[name] != nil, reached[name] == nil {
                    faults.append("\(name) must stand above \(row.room)")
                }
                all.formUnion(reached[name] ?? [])
            }
            for name in allowed.subtracting(all) { faults.append("\(row.room) imports \(name) too") }
            if row.isPure != TidyRules.pure.contains(row.room) { faults.append("\(row.room): pure or not?") }
            reached[row.room] = all
        }
        let missing = Set(TidyRules.imports.keys).symmetricDifference(rows.map(\.room))
        return faults + missing.map { "\($0) is only in one of the two tables" }
    }

    @Test func theTableOfRoomsIsTrue() throws {
        let page = try String(contentsOf: TidyTests.root.appending(path: "docs/architecture.md"), encoding: .utf8)
        let rows = try Self.rows(of: page)
        #expect(Self.faults(rows) == [])
        // It can fail.
        #expect(!Self.faults(Array(rows.dropFirst())).isEmpty)
        #expect(!Self.faults(rows.reversed()).isEmpty)
    }

    /// Every file that the table of places names is there.
    @Test func thePlacesAreThere() throws {
        let page = try String(contentsOf: TidyTests.root.appending(path: "docs/architecture.md"), encoding: .utf8)
        let named = page.matches(of: /`((?:Sources|Tests|scripts|docs)\/[A-Za-z+\/.]+)`/).map { String($0.output.1) }
        #expect(named.count >= 10)
        let missing = named.filter {
            !FileManager.default.fileExists(atPath: TidyTests.root.appending(path: $0).path)
        }
        #expect(missing == [])
    }
}
