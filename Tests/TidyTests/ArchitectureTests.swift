import Foundation
import Testing

/// docs/architecture.md draws the rooms as they are. `CROSSFADE_WRITE_DOCS=1 swift test --filter ArchitectureTests`
/// writes the column of imports; a new room's row is written by hand.
@Suite struct ArchitectureTests {
    struct Row {
        let room: String
        let isPure: Bool
        let text: String
        var imports: [String]

        init(_ line: Substring) {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            room = String(cells[0].split(separator: "*")[0])
            isPure = cells[0].hasSuffix("*pure*")
            text = cells[1]
            imports = cells[2] == "nothing" ? [] : cells[2].split(separator: ", ").map(String.init)
        }

        var line: String {
            "| **\(room)**\(isPure ? " *pure*" : "") | \(text) | "
                + "\(imports.isEmpty ? "nothing" : imports.joined(separator: ", ")) |"
        }
    }

    static let path = TidyTests.root.appending(path: "docs/architecture.md")

    /// Where the rows of the table of rooms stand in the page.
    static func table(in page: String) throws -> Range<String.Index> {
        let begin = try #require(page.range(of: "<!-- table: rooms -->\n"))
        let end = try #require(page.range(of: "\n<!-- end -->", range: begin.upperBound..<page.endIndex))
        return begin.upperBound..<end.lowerBound
    }

    static func rows(of table: Substring) -> [Row] { table.split(separator: "\n").dropFirst(2).map(Row.init) }

    /// A room's imports without those that another of its imports brings along, in the order of the page.
    static func drawn(_ room: String, order: [String]) -> [String] {
        let all = TidyRules.imports[room] ?? []
        let brought = all.reduce(into: Set<String>()) { $0.formUnion(reached(from: $1)) }
        return all.subtracting(brought).sorted {
            (order.firstIndex(of: $0) ?? -1, $0) < (order.firstIndex(of: $1) ?? -1, $1)
        }
    }

    static func reached(from room: String) -> Set<String> {
        (TidyRules.imports[room] ?? []).reduce(into: []) {
            $0.insert($1)
            $0.formUnion(reached(from: $1))
        }
    }

    /// What is wrong with the table.
    static func faults(_ rows: [Row]) -> [String] {
        let order = rows.map(\.room)
        var faults: [String] = []
        for (place, row) in rows.enumerated() {
            let right = drawn(row.room, order: order)
            if row.imports != right { faults.append("\(row.room) imports \(right.joined(separator: ", "))") }
            for name in row.imports where TidyRules.imports[name] != nil && !order[..<place].contains(name) {
                faults.append("\(name) must stand above \(row.room)")
            }
            if row.isPure != TidyRules.pure.contains(row.room) { faults.append("\(row.room): pure or not?") }
        }
        let missing = Set(TidyRules.imports.keys).symmetricDifference(order)
        return faults + missing.map { "\($0) is only in one of the two tables" }
    }

    @Test func theTableOfRoomsIsTrue() throws {
        var page = try String(contentsOf: Self.path, encoding: .utf8)
        let place = try Self.table(in: page)
        var rows = Self.rows(of: page[place])
        if ProcessInfo.processInfo.environment["CROSSFADE_WRITE_DOCS"] == "1" {
            let order = rows.map(\.room)
            for at in rows.indices { rows[at].imports = Self.drawn(rows[at].room, order: order) }
            let head = page[place].split(separator: "\n").prefix(2).map(String.init)
            page.replaceSubrange(place, with: (head + rows.map(\.line)).joined(separator: "\n"))
            try page.write(to: Self.path, atomically: true, encoding: .utf8)
        }
        #expect(Self.faults(rows) == [])
        // The test can fail.
        #expect(!Self.faults(Array(rows.dropFirst())).isEmpty)
        #expect(!Self.faults(rows.reversed()).isEmpty)
    }

    /// Every file that the page names with its whole path is there.
    @Test func thePlacesAreThere() throws {
        let page = try String(contentsOf: Self.path, encoding: .utf8)
        let named = page.matches(of: /`((?:Sources|Tests|scripts|docs)\/[A-Za-z+\/.]+)`/).map { String($0.output.1) }
        #expect(named.count >= 10)
        let missing = named.filter {
            !FileManager.default.fileExists(atPath: TidyTests.root.appending(path: $0).path)
        }
        #expect(missing == [])
    }
}
