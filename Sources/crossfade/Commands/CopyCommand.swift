import Migration

enum CopyCommand {
    static let declaration = CommandDeclaration.watchedWork(
        CopyWork.self,
        summary: "Copy all documents from the old cluster to the new one",
        discussion: """
            The old cluster is only read. An interrupted copy goes on where it was: finished slices are not read again,
            and the unfinished ones are read once more, which does no harm.
            """)
}
