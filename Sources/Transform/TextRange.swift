/// The buffer to which a range of text belongs.
enum TextSource: UInt8 {
    /// The document, or the partial document.
    case document
    /// The document into which a partial document is merged.
    case base
    /// Text that the steps wrote.
    case scratch
    /// Names and values from the recipe.
    case constants
    /// Keys without their escapes.
    case keys
    /// A copy of scratch text, to be read while the scratch buffer is written.
    case copy
}

/// A piece of text in one of the buffers.
struct TextRange {
    var source: TextSource
    var start: Int32
    var end: Int32

    static let none = TextRange(source: .document, start: 0, end: 0)
    var count: Int { Int(end &- start) }
}
