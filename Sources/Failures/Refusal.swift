/// Why a rail, or a check while work runs, refuses to go on (promise P9 in docs/architecture.md).
///
/// The catalogue of refusals is the functions in `Refusal+Log.swift`, `Refusal+Source.swift` and
/// `Refusal+Target.swift`: one for each condition, so that a condition has one text and one piece of advice, wherever
/// it is found. A text names the numbers that were found and says what to do. `RailCatalogue.swift` says which of them
/// a recipe can accept.
package struct Refusal: Sendable, Equatable {
    /// Stable name of the condition.
    package let name: String
    /// What was found, and what to do.
    package let text: String

    init(_ name: String, _ text: String) { (self.name, self.text) = (name, text) }

    /// The error that ends the work, with exit code 3.
    /// - Parameter underlying: what a server said, when it adds something.
    package func error(underlying: String? = nil) -> WorkError {
        WorkError(.refused, RailCatalogue.withAnswer(text, of: name), underlying: underlying, rail: name)
    }

    /// A record's place in the command topic.
    package struct Place: Sendable, Equatable {
        package var partition: Int32
        package var offset: Int64

        package init(_ partition: Int32, _ offset: Int64) { (self.partition, self.offset) = (partition, offset) }

        var text: String { "partition \(partition) offset \(offset)" }
    }
}
