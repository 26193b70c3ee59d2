/// Scans one value in the middle of a ``JSONExtractor``'s pass. So a text that two parts of the program need is scanned
/// only once.
public protocol JSONValueScanner: AnyObject {
    /// Validates an object as ``JSONScanner/validate(_:maxDepth:)`` does and remembers what it needs of it. It forgets
    /// the object before. Returns the offset behind the object.
    ///
    /// `start`: the offset of the opening brace in `text`. `end`: the length of the text. `levels`: how deep the object
    /// may be nested. `newlines`: becomes true when there is a raw line end between two tokens.
    func scan(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ levels: Int, _ newlines: inout Bool
    ) throws(JSONError) -> Int
}

/// Stands where there is no scanner. It is never asked.
final class NoScanner: JSONValueScanner {
    func scan(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ levels: Int, _ newlines: inout Bool
    ) throws(JSONError) -> Int {
        try JSONScanner.skip(text, start, end, levels, &newlines)
    }
}
