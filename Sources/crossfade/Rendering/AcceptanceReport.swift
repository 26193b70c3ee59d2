import JSONText
import Recipe

/// What a recipe accepts, as `plan`, `status` and every summary show it.
enum AcceptanceReport {
    static func json(_ accepted: [Recipe.Acceptance]) -> JSONValue {
        .array(accepted.map(json))
    }

    static func json(_ accepted: Recipe.Acceptance) -> JSONValue {
        var object: JSONObject = ["rail": .string(accepted.rail), "why": .string(accepted.why)]
        if !accepted.ids.isEmpty { object["ids"] = .array(accepted.shownIDs.map { .string($0) }) }
        return .object(object)
    }

    static func lines(_ accepted: [Recipe.Acceptance]) -> [String] {
        accepted.map {
            let ids = $0.ids.isEmpty ? "" : " (ids \($0.shownIDs.joined(separator: ", ")))"
            return "accepted \($0.rail)\(ids): \($0.why)"
        }
    }
}
