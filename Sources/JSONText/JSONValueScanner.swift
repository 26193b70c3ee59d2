/// Takes over one value in the middle of a ``JSONExtractor``'s pass, so that a text which is to be scanned by two is
/// scanned once.
public protocol JSONValueScanner: AnyObject {
    /// Validates the object at `start` of `text` (`text[start]` is its brace) as ``JSONScanner/validate(_:maxDepth:)`` does,
    /// and keeps of it what it wants, instead of what it kept before. `end` is the text's end, `levels` how deep the object may be.
    /// The offset after the object; `newlines` is set where raw line ends stand between tokens.
    func scan(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ levels: Int, _ newlines: inout Bool
    ) throws(JSONError) -> Int
}
