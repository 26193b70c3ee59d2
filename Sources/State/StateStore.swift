import Failures
import JSONText
import Schema
import SearchCluster

/// The state document in `.crossfade-<name>` on the target, changed by compare-and-set, so that two operators cannot
/// both act and a new machine can go on (docs/architecture.md).
package struct StateStore: Sendable {
    private static let document = "migration"
    private static let prefix = ".crossfade-"

    private let target: Cluster
    /// The only work under which the state is changed; nil: any.
    private var fingerprint: String?
    private let writer: TargetWriter
    package let index: String
    var reader: ClusterReader { target.reader }

    package init(target: Cluster, name: String) {
        self.target = target
        writer = target.writer
        index = Self.prefix + name
    }

    /// The same for work under this fingerprint: it changes nothing once other work is confirmed, and throws then.
    package func fenced(_ fingerprint: String) -> StateStore {
        var store = self
        store.fingerprint = fingerprint
        return store
    }

    /// Throws when other work is confirmed by now, or the state is gone.
    package func checkIsStill() throws {
        guard let state = try load() else { throw Refusal.stateGone(index: index).error() }
        if let fingerprint { try state.check(isStill: fingerprint) }
    }

    /// nil: there is none, because `init` has not run.
    package func load() throws -> MigrationState? {
        guard try writer.indexExists(index), let stored = try writer.getDocument(index, Self.document)
        else { return nil }
        return try state(stored.source)
    }

    /// The state of a migration that must be there.
    /// - Parameters:
    ///   - recipe: as it is typed, for the message.
    ///   - consequence: what follows when there is none, for the message; nil: nothing is said of it.
    package func loaded(recipe: String, otherwise consequence: String? = nil) throws -> MigrationState {
        if let state = try load() { return state }
        throw WorkError(
            .refused,
            "migration \(index.dropFirst(Self.prefix.count)) is not initialised on \(target.name)"
                + (consequence.map { ", so \($0)" } ?? "") + ": run `crossfade plan \(recipe)`")
    }

    private func state(_ json: JSONValue) throws(WorkError) -> MigrationState {
        try MigrationState.stored(json, document: Self.document, index: index)
    }

    /// Creates index and document. Throws a conflict if another process has just created them.
    package func create(_ state: MigrationState) throws {
        let document = try state.document(over: nil, index: index)
        if try !writer.indexExists(index) {
            // `dynamic: false` keeps the document's members from becoming fields.
            let mapping: JSONObject = ["dynamic": "false", "properties": [:]]
            let settings: JSONValue = ["index": ["number_of_shards": 1]]
            do throws(ClusterError) {
                try writer.createIndex(
                    index,
                    body: TargetMapping.createBody(
                        mapping: mapping, settings: settings, documentType: target.capabilities.mappingType))
            } catch {
                // By somebody else, or by an `init` that was killed and whose request came late. Whose the migration is
                // is decided by the document.
                guard error.code == .conflict else { throw error }
            }
        }
        _ = try writer.putDocument(index, Self.document, document, expecting: .absent)
    }

    /// As ``update(_:)``, for progress that can also be written later. Returns false while the target is away.
    package func updateIfReachable(_ change: (inout MigrationState) throws -> Void) throws -> Bool {
        do {
            try update(change)
            return true
        } catch let error as ClusterError where error.retriable {
            return false
        }
    }

    /// Reads, changes and writes the state; repeats it if another process wrote first. Returns the written state.
    @discardableResult package func update(_ change: (inout MigrationState) throws -> Void) throws -> MigrationState {
        for attempt in 1... {
            guard let stored = try writer.getDocument(index, Self.document) else { break }
            var state = try state(stored.source)
            if let fingerprint { try state.check(isStill: fingerprint) }
            let before = state
            try change(&state)
            if state == before { return state }
            let document = try state.document(over: stored.source, index: index)
            do throws(ClusterError) {
                _ = try writer.putDocument(index, Self.document, document, expecting: stored.token)
                return state
            } catch {
                guard error.code == .conflict, attempt < 20 else { throw explained(error) }
            }
        }
        throw WorkError(.state, "the state in index \(index) is gone: was the migration cancelled meanwhile?")
    }
}
