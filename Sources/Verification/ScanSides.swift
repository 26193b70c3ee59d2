import Planning
import SearchCluster
import Transform

/// The two sides of a comparison.
package struct ScanSides: Sendable {
    /// The indices of one entry of the recipe.
    package struct Entry: Sendable {
        /// The target index.
        package var index: String
        package var source: [IndexInfo]
        /// The target index as it is; nil: it cannot be read.
        package var target: IndexInfo?
        /// The UUID of the target index; nil: it is not known.
        package var uuid: String?
        /// What becomes of a document of the old side.
        package var transform: [TransformStep]

        package init(
            index: String, source: [IndexInfo], target: IndexInfo?, uuid: String? = nil, transform: [TransformStep] = []
        ) {
            (self.index, self.source, self.target, self.uuid) = (index, source, target, uuid)
            self.transform = transform
        }
    }

    /// nil: there is none.
    package var source: Cluster?
    package var target: Cluster
    package var entries: [Entry]

    package init(source: Cluster?, target: Cluster, entries: [Entry]) {
        (self.source, self.target, self.entries) = (source, target, entries)
    }

    package init(_ survey: Survey) {
        self.init(
            source: survey.source, target: survey.target,
            entries: survey.entries.map {
                Entry(
                    index: $0.index, source: $0.source, target: $0.present, uuid: $0.uuid,
                    transform: $0.recipe.transform)
            })
    }
}
