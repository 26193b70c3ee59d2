import Commands
import Indexing
import JSONText
import SearchCluster
import Transform

/// A checked recipe: what the YAML file said, with every default filled in.
package struct Recipe: Sendable {
    /// Where the file was, for messages and for paths relative to it.
    package var file: String
    /// How a command line names the recipe, quoted for a shell and with its files of variables, for commands that a
    /// person is to type next.
    package var typed: String
    /// Names state, consumer group and metrics.
    package var name: String
    package var commands: CommandSource
    /// Absent: only the topic feeds the target.
    package var source: ClusterEndpoint?
    package var target: ClusterEndpoint
    package var indices: [IndexEntry]
    package var copy: CopyOptions
    package var replay: ReplayStart
    /// How much earlier than at the recorded offsets a replay starts, in milliseconds.
    package var recordedMargin: Int64
    /// Dead-letter topic; default `<commands.topic>-dead`.
    package var deadLetterTopic: String
    package var limits: Limits
    /// How old a tombstone must be to be purged, in milliseconds.
    package var tombstoneAge: Int64
    package var operations: Operations
    package var verify: Verify
    package var cutover: Cutover
    /// What `crossfade recipe test` runs; no part of the work.
    package var tests: [RecipeTest]
    /// The refusals that the recipe accepts.
    package var accept: [Acceptance]
    /// See ``RecipeText/canonical(_:)``.
    package var shown: JSONValue
    /// See ``RecipeText/meaning(_:)``.
    package var meaning: JSONValue

    /// Whether there is a command topic. Without one only copies feed the target.
    package var hasCommands: Bool { commands.isGiven }

    /// `commands`. Without that section it is an empty log: a topic without a name and without partitions.
    package struct CommandSource: Sendable {
        /// Whether the recipe has the section.
        package var isGiven = true
        package var bootstrap: String
        package var topic: String
        package var group: String
        /// Passed through to librdkafka; may hold secrets, so it is never printed unredacted.
        package var kafka: [String: String]
        /// Format, versions, epoch, selection: all that the decoder needs, one `EntrySelector` an entry.
        package var format: CommandFormat
        package var applicationGroup: String?
    }

    /// One of `indices`.
    package struct IndexEntry: Sendable {
        package var from: String?
        package var to: String
        /// What the application reads, moved together.
        package var aliases: [String]
        /// JSON text of the mapping (`{"properties": ...}` or with a type wrapper); absent: the source's.
        package var mapping: String?
        /// JSON text of the settings.
        package var settings: String?
        package var transform: [TransformStep]
        /// `shallow`: top-level fields replace; `deep`: as the update API does.
        package var merge: MergeMode
        /// What a merge does when its document does not exist and the copy is done.
        package var missing: MissingDocument
        /// Whether the recipe says so itself; no part of the work.
        package var saysMissing = false
        /// Template of the target id for sources with several types, e.g. `{type}-{id}`; nil: the id alone.
        package var id: String?
        /// What becomes of the filter of an alias that `from` names; nil: the recipe does not say.
        package var filter: AliasFilter?
        /// Whether it is right that this entry has no document; no part of the work.
        package var empty = Verify.Empty.refuse
    }

    /// `filter` of an entry.
    package enum AliasFilter: String, Sendable, CaseIterable {
        /// Only what the filter shows is copied.
        case source
        /// Everything is copied, and the target's alias shows the same part.
        case alias
    }

    /// `copy`.
    package struct CopyOptions: Sendable {
        package var slices: Int
        /// Documents per page.
        package var page: Int
        /// Documents a second; nil: unlimited.
        package var documentsPerSecond: Int?
        /// Bytes of source documents a second; nil: unlimited.
        package var bytesPerSecond: Int?
        /// Where a document has the time of its last change, and how much earlier a later copy begins, in milliseconds;
        /// nil: the recipe does not say.
        package var since: (field: JSONPath, margin: Int64)?
        /// When so many documents become dead letters, the copy stops.
        package var deadLetters: CopyDeaths.Limit
    }

    /// `replay.from`.
    package enum ReplayStart: Sendable, Equatable {
        case beginning
        /// Where `application_group` stood when the copy began.
        case recorded
        /// Milliseconds since 1970.
        case timestamp(Int64)
        /// Partition to offset; partitions not named start at their beginning.
        case offsets([Int32: Int64])
    }

    /// `limits`.
    package struct Limits: Sendable {
        /// Bytes in flight between poll and acknowledgement.
        package var memory: Int
        /// Bulk requests under way; nil: adapted.
        package var inFlight: Int?
    }

    /// One of `accept`: the refusals of this rail are right in this case.
    package struct Acceptance: Sendable, Equatable {
        package var rail: String
        /// As it may be shown.
        package var why: String
        /// Of the rails that judge single ids: those that are accepted.
        package var ids: [String]
        /// The same as they may be shown.
        package var shownIDs: [String]

        package init(rail: String, why: String, ids: [String] = [], shownIDs: [String] = []) {
            (self.rail, self.why, self.ids, self.shownIDs) = (rail, why, ids, shownIDs)
        }
    }

    /// Why the refusals of a rail are accepted; nil: they are not.
    package func acceptance(of rail: String) -> String? { accept.first { $0.rail == rail }?.why }

    package func accepts(_ rail: String) -> Bool { acceptance(of: rail) != nil }

    /// Ids whose commands may lie in two partitions (rail `one_partition`).
    package var splitIDs: [String] { accept.first { $0.rail == "one_partition" }?.ids ?? [] }

    /// `operations`.
    package struct Operations: Sendable, Equatable {
        /// `HOST:PORT` of dashboard, health and metrics, port 0 being any free one; nil: off.
        package var listen: String?
        /// Whether the recipe says where to listen, or the default stands.
        package var listenIsGiven: Bool
        /// `HOST:PORT` that StatsD datagrams are sent to; nil: none are.
        package var statsd: String?

        package init(listen: String?, listenIsGiven: Bool, statsd: String?) {
            (self.listen, self.listenIsGiven, self.statsd) = (listen, listenIsGiven, statsd)
        }
    }
}

extension Recipe {
    /// `select` of an entry; nil: it takes all that no entry before it took.
    package func selector(_ entry: Int) -> CommandFormat.Selector? {
        commands.format.selectors.indices.contains(entry) ? commands.format.selectors[entry] : nil
    }
}

/// Printing or dumping a recipe shows what may be shown, wherever it is held.
extension Recipe: CustomStringConvertible, CustomReflectable {
    package var description: String { shown.text() }
    package var customMirror: Mirror { Mirror(self, children: ["recipe": shown.text()]) }
}

extension Recipe.CommandSource: CustomStringConvertible, CustomReflectable {
    package var description: String { "CommandSource(kafka: \(kafka.keys.sorted()))" }
    package var customMirror: Mirror { Mirror(self, children: ["kafka": kafka.keys.sorted()]) }
}
