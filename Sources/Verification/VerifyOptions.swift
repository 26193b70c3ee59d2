import Parity
import Recipe

/// What the command line says of a verification. The rest is in the recipe's `verify`.
package struct VerifyOptions: Sendable, Equatable {
    package enum Repair: Sendable, Equatable {
        /// Nothing is repaired.
        case none
        /// What would be written is listed.
        case listed
        /// It is written.
        case written
    }

    package var repair = Repair.none
    /// A document that the source lacks is taken as deleted.
    package var trustsSource = false
    package var against = Receipt.Basis.source
    /// Id of the receipt to go on from; nil: everything is compared.
    package var since: String?
    /// When so many documents are found wrong, the rest is not compared; nil: all is compared.
    package var stopAfter: Int?

    package init() {}

    /// Against what a recipe's documents are compared, where nobody says it.
    package static func basis(of recipe: Recipe) -> Receipt.Basis { recipe.source == nil ? .log : .source }
}
