/// Refusals that come from other people's work on the same migration.
extension Refusal {
    /// Other work was confirmed than this process does. `words`: by whom and when.
    package static func otherWork(migration: String, confirmed: String, words: String, mine: String) -> Refusal {
        Refusal(
            "other_work",
            "migration \(migration) has other work now: fingerprint \(confirmed) was confirmed \(words), and this "
                + "process works under \(mine). It ends and writes nothing more; what it committed counts only for the "
                + "indices that it wrote. Start again with the recipe that was confirmed; or, if yours is meant, look "
                + "at `crossfade plan` and confirm it")
    }

    /// The state is gone.
    package static func stateGone(index: String) -> Refusal {
        Refusal(
            "state_gone",
            "the state in index \(index) is gone: was the migration cancelled meanwhile? This process ends and writes "
                + "nothing more")
    }

    /// Other work is to be confirmed while processes do the present one. `members`: who they are, in words.
    package static func membersLive(migration: String, members: [String]) -> Refusal {
        Refusal(
            "members_live",
            "other work cannot be confirmed while processes of migration \(migration) run: "
                + members.joined(separator: "; ")
                + ". Stop them (SIGTERM: they write and commit what they have read), confirm, then start them again "
                + "with the new recipe. Nothing was changed")
    }

    /// Somebody does the same piece of work already. `holder`: who, in words.
    package static func workIsHeld(_ command: String, migration: String, holder: String) -> Refusal {
        Refusal(
            "work_is_held",
            "a \(command) of migration \(migration) runs already: \(holder). A second one would only do the same "
                + "again. Watch it with `crossfade status`, or stop it first: the next one goes on where it stood")
    }

    /// Others are in the consumer group. `members`: all of it, in words; `known`: how many of them are followers of
    /// this migration.
    package static func groupIsShared(_ group: String, migration: String, members: String, known: Int) -> Refusal {
        Refusal(
            "group_is_shared",
            "consumer group \(group) has \(members), and migration \(migration) knows \(known) of them as its "
                + "followers: another migration with this name, or another application, shares the group, and each "
                + "would read only a part of the commands. Stop them, or name another group in `commands.group` and "
                + "confirm that")
    }

    /// What was written has another form. `index`: the index; `changes`: what differs, in words.
    package static func formChanged(index: String, changes: String) -> Refusal {
        Refusal(
            "changed_form",
            "\(index) was written in another form, and \(changes). What is read again has the versions that are there "
                + "already, so it would be left as it is, and the index would hold both forms. Give `to` another name, "
                + "or delete \(index); then run init, copy and replay")
    }
}
