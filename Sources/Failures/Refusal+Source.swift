/// Refusals that come from the source.
extension Refusal {
    /// A copied document has a routing, and the recipe names none for commands. `shape`: the section of the recipe that
    /// would name it.
    package static func routingUnnamed(index: String, id: String, routing: String, shape: String) -> Refusal {
        Refusal(
            "identity",
            "identity: document \(id) of the source index \(index) has the routing \(routing), and the recipe does not "
                + "say where commands have it: their writes and deletes would go to other shards, beside the copied "
                + "document. Name the routing under commands.\(shape). The copy stops here, and what it has written "
                + "stays right")
    }
}
