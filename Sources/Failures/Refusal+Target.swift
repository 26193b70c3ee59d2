/// Refusals that come from the target.
extension Refusal {
    /// The target index is gone, or the alias through which it is written.
    package static func indexGone(_ index: String, alias: String) -> Refusal {
        Refusal(
            "index_gone",
            "the target index \(index), or its alias \(alias) through which it is written, is gone: somebody deleted "
                + "it "
                + "while it was written. Nothing was made in its place, and nothing that it had not taken counts as "
                + "done. "
                + "Run `crossfade init`, which makes it again, then copy and replay")
    }

    /// The target index has another UUID than the one that `init` made.
    package static func indexMadeAgain(_ index: String, before: String, now: String) -> Refusal {
        Refusal(
            "index_made_again",
            "the target index \(index) was deleted and made again while it was written: its UUID was \(before) and is "
                + "\(now). Nothing that the old one held is in it: run `crossfade init`, then copy and replay")
    }

    /// Somebody took the alias away through which the index is written; the index itself is there.
    package static func aliasTaken(_ alias: String, of index: String) -> Refusal {
        Refusal(
            "alias_taken",
            "the alias \(alias) through which the target index \(index) is written was taken away; the index itself is "
                + "the one that init made. Nothing that it had not taken counts as done: start again, that puts the "
                + "alias back")
    }

    /// Another process has finished the copy and closed its alias.
    package static func copyClosed(_ index: String, alias: String) -> Refusal {
        Refusal(
            "copy_closed",
            "index \(index) takes no copied documents any more: its alias \(alias) was closed when the copy was "
                + "finished, "
                + "by another process. Nothing late was written; see `crossfade status`, and start `copy` again if a "
                + "new "
                + "copy is meant")
    }

    /// The index does not take the tombstone of a document that has moved out of it.
    package static func tombstoneRefused(index: String, at place: Place, reason: String) -> Refusal {
        Refusal(
            "tombstone_refused",
            "index \(index) refuses the tombstone by which the record at \(place.text) deletes a document that has "
                + "moved to another index (\(reason)). Nothing after it was acknowledged. Mend the mapping of "
                + "\(index), which `init` made for it, and start again")
    }

    /// The recipe's mapping was changed in a way that an existing index does not take.
    package static func mappingCannotChange(index: String) -> Refusal {
        Refusal(
            "mapping_change",
            "the target index \(index) does not take the mapping of the recipe: a cluster adds fields to an index that "
                + "is there, and does not change them. Nothing was changed. Delete \(index), then run init, copy and "
                + "replay, or give `to` another name")
    }
}
