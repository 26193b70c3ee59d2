import Commands
import JSONText
import SearchCluster
import Transform

/// A checked recipe (design 4): what the YAML file said, with every default filled in.
public struct Recipe: Sendable {
    /// Where the file was, for messages and for paths relative to it.
    public var file: String
    /// How a command line names the recipe, quoted for a shell and with its files of variables, for commands that a
    /// person is to type next.
    public var typed: String
    /// Names state, consumer group and metrics.
    public var name: String
    public var commands: CommandSource
    /// Absent: only the topic feeds the target.
    public var source: ClusterEndpoint?
    public var target: ClusterEndpoint
    public var indices: [IndexEntry]
    public var copy: CopyOptions
    public var replay: ReplayStart
    /// Dead-letter topic; default `<commands.topic>-dead`.
    public var deadLetterTopic: String
    public var limits: Limits
    /// How old a tombstone must be to be purged, in milliseconds.
    public var tombstoneAge: Int64
    public var operations: Operations
    /// What `crossfade recipe test` runs; no part of the work.
    public var tests: [RecipeTest]
    /// See ``RecipeText/canonical(_:)``.
    var shown: JSONValue
    /// See ``RecipeText/meaning(_:)``.
    var meaning: JSONValue

    /// `commands`.
    public struct CommandSource: Sendable {
        public var bootstrap: String
        public var topic: String
        public var group: String
        /// Passed through to librdkafka; may hold secrets, so it is never printed unredacted.
        public var kafka: [String: String]
        /// Format, versions, epoch, selection: all that the decoder needs, one `EntrySelector` an entry.
        public var format: CommandFormat
        public var applicationGroup: String?
    }

    /// One of `indices`.
    public struct IndexEntry: Sendable {
        public var from: String?
        public var to: String
        public var alias: String?
        /// JSON text of the mapping (`{"properties": ...}` or with a type wrapper); absent: the source's.
        public var mapping: String?
        /// JSON text of the settings.
        public var settings: String?
        public var transform: [TransformStep]
        /// `shallow`: top-level fields replace; `deep`: as the update API does.
        public var merge: MergeMode
        /// What a merge does whose document is nowhere once the copy is done.
        public var missing: MissingBase
        /// Template of the target id for sources with several types, e.g. `{type}-{id}`; nil: the id alone.
        public var id: String?
    }

    public enum MissingBase: String, CaseIterable, Sendable { case create, reject }

    /// `copy`.
    public struct CopyOptions: Sendable {
        public var slices: Int
        /// Documents a page.
        public var page: Int
        /// Documents a second; nil: unlimited.
        public var documentsPerSecond: Int?
        /// Bytes of source documents a second; nil: unlimited.
        public var bytesPerSecond: Int?
    }

    /// `replay.from`.
    public enum ReplayStart: Sendable, Equatable {
        case beginning
        /// Where `application_group` stood when the copy began.
        case recorded
        /// Milliseconds since 1970.
        case timestamp(Int64)
        /// Partition to offset; partitions not named start at their beginning.
        case offsets([Int32: Int64])
    }

    /// `limits`.
    public struct Limits: Sendable {
        /// Bytes in flight between poll and acknowledgement.
        public var memory: Int
        /// Bulk requests under way; nil: adapted.
        public var inFlight: Int?
    }

    /// `operations`.
    public struct Operations: Sendable, Equatable {
        /// `HOST:PORT` of dashboard, health and metrics, port 0 being any free one; nil: off.
        public var listen: String?
        /// Whether the recipe says where to listen, or the default stands.
        public var listenIsGiven: Bool
        /// `HOST:PORT` that StatsD datagrams are sent to; nil: none are.
        public var statsd: String?

        public init(listen: String?, listenIsGiven: Bool, statsd: String?) {
            self.listen = listen
            self.listenIsGiven = listenIsGiven
            self.statsd = statsd
        }
    }
}

/// Printing or dumping a recipe shows what may be shown, wherever it is held.
extension Recipe: CustomStringConvertible, CustomReflectable {
    public var description: String { shown.text() }
    public var customMirror: Mirror { Mirror(self, children: ["recipe": shown.text()]) }
}

extension Recipe.CommandSource: CustomStringConvertible, CustomReflectable {
    public var description: String { "CommandSource(kafka: \(kafka.keys.sorted()))" }
    public var customMirror: Mirror { Mirror(self, children: ["kafka": kafka.keys.sorted()]) }
}
