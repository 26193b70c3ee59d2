import Commands
import JSONText

/// One of a recipe's `tests`.
package struct RecipeTest: Sendable {
    package enum Input: Sendable {
        case record(SampleRecord)
        case document(SampleDocument, entry: Int)
    }

    package struct Expectation: Sendable {
        package var operation: String?
        package var index: String?
        package var id: String?
        package var routing: String?
        package var version: Int64?
        package var document: JSONValue?
        package var reject: String?
    }

    package var name: String
    /// Where it stands in the recipe.
    package var mark: SourceMark
    package var input: Input
    /// The document that a merge finds.
    package var base: JSONValue?
    package var expected: Expectation
}

extension OperationKind {
    /// As recipes and reports name it.
    package var name: String {
        switch self {
        case .index, .keep: "index"
        case .merge, .leave: "merge"
        case .delete: "delete"
        }
    }
}
