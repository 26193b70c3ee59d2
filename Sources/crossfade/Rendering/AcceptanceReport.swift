import JSONText
import Recipe

/// What a recipe accepts, as `plan`, `status` and every summary show it.
enum AcceptanceReport {
    static func json(_ accepted: [Recipe.Acceptance]) -> JSONValue {
        .array(accepted.map { ["rail": .string($0.rail), "why": .string($0.why)] })
    }

    static func lines(_ accepted: [Recipe.Acceptance]) -> [String] {
        accepted.map { "accepted \($0.rail): \($0.why)" }
    }
}
