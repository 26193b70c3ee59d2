/// What is compared as one document: the id under which the new side has it, and the routing that leads to it. The same
/// id under two routings is two documents.
package struct DocumentKey: Sendable, Hashable {
    /// Index into the entries of the recipe, as the survey has them.
    package var entry: Int
    package var id: [UInt8]
    /// nil: none. A routing that is the id leads to the same shard as none, and is none.
    package var routing: [UInt8]?

    package init(entry: Int, id: [UInt8], routing: [UInt8]? = nil) {
        (self.entry, self.id) = (entry, id)
        self.routing = routing == id ? nil : routing
    }
}
