/// The form of a node.
enum NodeShape: UInt8 {
    /// A value that is still its text.
    case raw
    /// Several members or elements next to each other that no step names, as one text with the commas between them.
    case run
    case object, array
    /// An object that `keyToValue` will flatten. It stays text, so that it can be merged by key.
    case map
    /// Collected pairs that no later step reads. They are written together with the document.
    case collected
    /// Removed.
    case gone
    /// Removed by a step from a partial document. It must be removed from the base, too.
    case erased
}

/// A value of the document, with its key if it is a member. Links to other nodes are their indices; -1 is none.
struct Node {
    var shape: NodeShape
    /// The key without its quotes. Escapes are not resolved.
    var key: TextRange = .none
    /// The number of the key among the names of the recipe; -1: the recipe does not name it.
    var name: Int32 = -1
    var text: TextRange = .none
    /// The first and the last child. For collected pairs, their range in the list.
    var first: Int32 = -1
    var last: Int32 = -1
    var next: Int32 = -1
    /// The step that flattens this node, or one of the two marks below.
    var step: Int32 = -1

    /// Marks a raw map whose members the scan has collected.
    static let pairsCollected: Int32 = -2
    /// Marks a root that has a field of tombstones.
    static let holdsReserved: Int32 = -3
}
