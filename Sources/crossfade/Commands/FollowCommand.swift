import Migration

enum FollowCommand {
    static let declaration = CommandDeclaration.watchedWork(
        FollowWork.self,
        summary: "Keep the new cluster current until told to stop",
        discussion: """
            Applies every command of the topic as it comes. Several processes share the topic's partitions. The first
            SIGINT or SIGTERM finishes what is under way and commits it; the second stops at once. Either way a restart
            goes on where it was.
            """)
}
