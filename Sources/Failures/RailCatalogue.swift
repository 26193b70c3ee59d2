/// Which refusals a recipe can accept (`accept`), and which it cannot: every rail that refuses has its place here.
///
/// A rail that judges a sample, or a habit of other people's data, can be wrong about a legitimate case. A rail that
/// compares facts cannot: behind it writes would be lost, and each of these has its own way out.
package enum RailCatalogue {
    /// Name of the rail, and what is taken for granted when its refusal is accepted.
    package static let acceptable: [(rail: String, meaning: String)] = [
        ("identity", "the copy and the commands mean the same documents, although ids or routings look otherwise"),
        ("compaction", "the compacted topic has removed no delete that was not read"),
        ("source_refresh", "what the source has not made visible to searches may be missing in the copy"),
        ("source_filter", "documents are copied and written although the alias of the source hides them"),
        ("source_fields", "fields that the source does not give back may be missing in the copy"),
        ("target_fields", "partial updates may wipe fields that the target does not give back"),
        ("copy_version", "the versions of copied documents can be compared with those of commands"),
        ("adopted", "versions in an index that the application writes can be compared with those of the copy"),
        ("mapping_growth", "the target's mapping stays within its limit, although the samples say that it grows"),
        (
            "copy_deaths",
            "the copied documents that become dead letters are no loss, however many they are; a replay may build on "
                + "what is there"
        ),
        ("command_deaths", "the commands that become dead letters are no loss, however many they are"),
        ("changed_form", "documents that are there already may keep the form and the ids that they have"),
        (
            "attribution",
            "ids are unique over the entries of indices, and what the log seems to say of moves is not what it means"
        ),
        ("templates", "what an index template adds to the new index is meant"),
        ("pipelines", "documents may be changed by a pipeline of the target"),
        ("lifecycle", "a lifecycle policy of the target may replace, delete or close the new index"),
        ("rights", "the privileges that a server says are missing are there, or are not needed"),
        (
            "one_partition",
            "of each of the `ids`, the command with the greater version may stay, although a command of another "
                + "partition may be the newer one"
        ),
    ]

    /// Name of the rail, and why its refusal cannot be accepted.
    package static let final: [(rail: String, why: String)] = [
        ("log_start", "the log has lost the records that are asked for"),
        ("log_end", "the log is not the one that was applied, or its end is lost"),
        ("log_identity", "it is another log than the one that was read"),
        ("log_reach", "the commands between the old index and the start of the replay would be lost"),
        ("start_partitions", "the recipe names partitions that the topic does not have"),
        ("recorded_group", "nobody knows where the replay has to begin"),
        ("group", "two migrations would take each other's partitions; name another group"),
        ("epoch", "every write would look stale"),
        ("partitions", "offsets no longer order the commands of an id"),
        ("dead_letters", "dead letters would be lost, or would be commands"),
        ("same_index", "the index would be written over while it is read"),
        ("target_closed", "a closed index takes no writes"),
        ("target_identity", "the target index is another one than init made"),
        ("target_content", "the target index belongs to somebody else"),
        ("mapping_size", "the target would refuse the mapping; raise the limit in settings"),
        ("routing", "operations would go to wrong shards and still count as done"),
        ("targets", "nothing says which index a command belongs to"),
        ("alias", "no alias can have the name of an index"),
        ("source_documents", "there are no documents that could be copied"),
        ("parents", "parent and child documents are not carried"),
        ("data_stream", "documents of a data stream cannot be written over"),
        ("template_type", "the cluster would refuse to make the index"),
        ("mapping_change", "a cluster does not change the fields of an index"),
        ("types", "`id` of the entry says what is meant"),
    ]

    package static func isAcceptable(_ rail: String) -> Bool { acceptable.contains { $0.rail == rail } }

    /// Whether the rail's refusal is accepted only for ids that the recipe names.
    package static func judgesIDs(_ rail: String) -> Bool { rail == "one_partition" }

    /// Why the rail's refusal cannot be accepted; nil: it can, or there is no such rail.
    package static func whyNot(_ rail: String) -> String? { final.first { $0.rail == rail }?.why }

    /// A refusal's text with the line to write that answers it, where there is one.
    package static func withAnswer(_ text: String, of rail: String) -> String {
        // Of rails that judge single ids, the refusal itself says the line.
        guard isAcceptable(rail), !judgesIDs(rail) else { return text }
        return text + ". If it is right as it is, write in the recipe: `accept: [{ rail: \(rail), why: \"...\" }]`"
    }
}
