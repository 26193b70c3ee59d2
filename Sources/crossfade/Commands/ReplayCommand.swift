import Migration

enum ReplayCommand {
    static let declaration = CommandDeclaration.watchedWork(
        ReplayWork.self,
        summary: "Apply the command topic up to its end as it is now, then stop",
        discussion: """
            Closes the gap that opened while the copy ran. The replay notes the end of every partition when it begins,
            and stops when it has got there. It begins where the recipe's replay.from says, and one that was interrupted
            goes on where it stopped. After a complete one, another begins at replay.from again: what is already there
            counts as stale and keeps its content.
            """)
}
