import JSONText

/// Paths of a recipe, to be followed while a document is walked through. A path leads through arrays.
package struct PathTree: Sendable {
    /// A name below a place. All are in one array, so that following a path allocates nothing.
    private struct Branch: Sendable {
        var name: Range<Int>
        /// The place that it leads to.
        var place: Int
        /// The next branch of the same place; -1: none.
        var next: Int
    }

    private var branches: [Branch] = []
    /// The first branch of each place; -1: none.
    private var first = [-1]
    /// Which path ends at each place, in the order of the recipe; -1: none.
    private var ends = [-1]
    private var names: [UInt8] = []
    package let isEmpty: Bool

    /// The place of the document itself.
    package static let root = 0
    /// No path goes on here.
    package static let nowhere = -1

    package init(_ paths: [JSONPath]) {
        isEmpty = paths.isEmpty
        for (number, path) in paths.enumerated() {
            var place = Self.root
            for name in path.names { place = grow(place, name) }
            ends[place] = number
        }
    }

    private mutating func grow(_ place: Int, _ name: String) -> Int {
        let text = ByteBuffer()
        Array(name.utf8).withUnsafeBufferPointer { JSONString.escapeContent($0, into: text) }
        let key = withExtendedLifetime(text) { Array(text.bytes) }
        let known = key.withUnsafeBufferPointer { step(place, $0) }
        guard known == Self.nowhere else { return known }
        let from = names.count
        names += key
        first.append(-1)
        ends.append(-1)
        branches.append(Branch(name: from..<names.count, place: ends.count - 1, next: first[place]))
        first[place] = branches.count - 1
        return ends.count - 1
    }

    /// Where the member with this name leads. `key`: the canonical text of the name, without its quotes.
    package func step(_ place: Int, _ key: Bytes) -> Int {
        guard place >= 0, let text = key.baseAddress else { return Self.nowhere }
        var branch = first[place]
        while branch >= 0 {
            let (name, next) = (branches[branch].name, branches[branch].next)
            if name.count == key.count {
                let isSame = names.withUnsafeBufferPointer { names in
                    names.baseAddress.map { JSONScanner.same($0 + name.lowerBound, text, key.count) } ?? false
                }
                if isSame { return branches[branch].place }
            }
            branch = next
        }
        return Self.nowhere
    }

    /// The tree of what must be hidden. To a search server `{"a": {"b": 1}}` and `{"a.b": 1}` are one field, so each
    /// form of a path hides both; see ``hiddenStep(_:_:)``.
    package static func hiding(_ paths: [JSONPath]) -> PathTree {
        PathTree(
            paths.map { path in
                JSONPath(
                    names: path.names.flatMap { name in
                        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
                        return parts.contains("") ? [name] : parts
                    })
            })
    }

    /// ``step(_:_:)`` where a name with dots may stand for several.
    package func hiddenStep(_ place: Int, _ key: Bytes) -> Int {
        let whole = step(place, key)
        guard whole == Self.nowhere, key.contains(UInt8(ascii: ".")) else { return whole }
        return key.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).reduce(place) {
            step($0, Bytes(rebasing: $1))
        }
    }

    /// Whether text, a number or a flag here is hidden: it is at a path's end, or where a path expects an object, and
    /// may be what the path means.
    package func hidesScalar(_ place: Int) -> Bool {
        isEnd(place) || (place != Self.nowhere && place != Self.root)
    }

    /// Whether a path ends at this place.
    package func isEnd(_ place: Int) -> Bool { number(place) >= 0 }

    /// Which path ends at this place; -1: none.
    package func number(_ place: Int) -> Int { place >= 0 ? ends[place] : -1 }
}
