/// The names of everything that the demo creates.
struct DemoNames: Sendable {
    let migration: String
    let topic: String
    let deadLetters: String
    let applicationGroup: String
    let old: String
    let new: String
    /// The demo sends the unchanged documents to this index, to show how the new cluster refuses them.
    let wide: String
    var group: String { "crossfade-\(migration)" }
    var state: String { ".crossfade-\(migration)" }

    /// `suffix` keeps apart several runs on the same servers. Empty: short names.
    init(suffix: String) {
        let end = suffix.isEmpty ? "" : "-\(suffix)"
        migration = "alerts\(end)"
        topic = "alert-commands\(end)"
        deadLetters = "alert-commands-dead\(end)"
        applicationGroup = "alert-indexer\(end)"
        old = "alerts\(end)"
        new = "alerts-v2\(end)"
        wide = "alerts-as-they-are\(end)"
    }
}
