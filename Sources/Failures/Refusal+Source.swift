/// Refusals that come from the source.
extension Refusal {
    /// What the application wrote last is not seen by a search, and nothing will make it so. `why`: the server's words.
    package static func sourceNeverRefreshed(index: String, why: String) -> Refusal {
        Refusal(
            "source_refresh",
            "the source index \(index) has refresh_interval -1, and Crossfade may not refresh it (\(why)): a search "
                + "does not show what was written last, so the copy would lack it. Give the credentials the privilege "
                + "`maintenance` on \(index), or set its refresh_interval to 30s, and start again. Nothing was copied")
    }

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

    /// Several documents of the source are one document in the target, so that all but one of each were left out.
    package static func copiesCollide(index: String, copied: Int, there: Int) -> Refusal {
        Refusal(
            "identity",
            "identity: \(copied) documents were copied into \(index), and only \(there) are there, with tombstones: "
                + "the source has \(copied - there) ids more than once, under other routings, in other indices or of "
                + "other types, and the copy of each kept the one that came first. The copy is not complete. Make the "
                + "ids of the source unique, or delete there what is stale; then delete \(index) and run init and copy "
                + "again")
    }

    /// A document cannot be written, and without commands there is no topic for dead letters. `reason`: as a dead
    /// letter would have it.
    package static func noPlaceForLetters(id: String, reason: String, detail: String) -> Refusal {
        Refusal(
            "no_letters",
            "document \(id) cannot be written (\(reason)): \(detail). The recipe names no command topic, so there is "
                + "no topic for dead letters either, and the copy stops rather than leave it out. Mend the mapping, "
                + "the transform or the document, then run copy again: it goes on where it was")
    }

    /// The documents of a copy mostly became dead letters. It is a failure of the work, not a rail at its start: exit
    /// code 1. `why`: the numbers, and the reasons with examples.
    package static func copyDies(_ why: String, letters topic: String, recipe: String) -> WorkError {
        WorkError(
            .deadLetters,
            RailCatalogue.withAnswer(
                "the copy stops: \(why). So many mean that the new mapping or the transform does not fit "
                    + "(copy.dead_letters says how many are too many). Nothing is lost: the source is only read, and "
                    + "the letters are in topic \(topic). Mend it, then run `crossfade copy \(recipe)`, which begins "
                    + "anew; until then a replay is refused",
                of: "copy_deaths"))
    }
}
