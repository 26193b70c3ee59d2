import JSONText
import Telemetry

/// A recipe as JSON: keys in the schema's order, short forms written out, every default filled in.
package enum RecipeText {
    /// To be shown: secrets are `<redacted>`, and a substituted value is the `${NAME}` that was written.
    package static func canonical(_ recipe: Recipe) -> JSONValue { recipe.shown }

    /// To be hashed into a fingerprint and never shown: as `canonical`, but with what substitutions brought, because
    /// an index name from the environment is part of what the work means. Secrets are not in it.
    package static func meaning(_ recipe: Recipe) -> JSONValue { recipe.meaning }

    package enum Audience { case forPeople, forDigest }

    package static func render(_ value: RecipeValue, showing audience: Audience) -> JSONValue {
        switch (value.display, audience) {
        case (.secret, _): return .string(Redactor.mark)
        case (.reference(let written), .forPeople): return .string(written)
        default: break
        }
        switch value.content {
        case .text(let text): return .string(text)
        case .integer(let number): return .number(number)
        case .quantity(_, let text): return .string(text)
        case .flag(let flag): return .bool(flag)
        case .list(let items): return .array(items.map { render($0, showing: audience) })
        case .section(let members):
            return .object(JSONObject(members.map { ($0.key, render($0.value, showing: audience)) }))
        case .json(let value, let shown): return audience == .forPeople ? shown : value
        case .wrong: return .null
        }
    }
}
