import Basics

/// Why a record becomes a dead letter, for manuals and completions.
///
/// Beside these there are the kinds of error by which a target refuses a document, as it calls them without their
/// `_exception`, or `status_<HTTP status>` where it gives none; a few frequent ones are here too.
package enum DeadLetterReasons {
    /// Code and meaning, in the order in which a record passes the places that may refuse it.
    package static let known: [(code: String, meaning: String)] = [
        ("not_json", "the record's value is not JSON"),
        ("schema_not_json", "it begins with a schema's number and is not JSON, for instance Avro"),
        ("bad_utf8", "its id is not UTF-8"),
        ("too_deep", "its JSON, or the copied document's, is nested too deeply"),
        ("not_an_object", "it is JSON, but not an object where one is needed"),
        ("unreadable_source", "the source has it, but its stored text is not JSON"),
        ("no_operation", "it does not say what is to be done"),
        ("unknown_operation", "it names an operation that the recipe does not know"),
        ("truncate", "a whole table was truncated, whose documents cannot be named one by one"),
        ("no_document", "it brings no document"),
        ("no_id", "it has no usable id"),
        ("bad_key", "its key is not written as the recipe says (commands.*.key)"),
        ("id_too_long", "its id is longer than a search cluster takes"),
        ("no_routing", "the recipe asks for a routing value, and it has none"),
        ("bad_routing", "its routing value is neither text nor number"),
        ("bad_version", "it has no usable version"),
        ("no_entry", "it does not say which entry of indices it belongs to"),
        ("no_value", "it has no value, and the recipe does not say what that means"),
        ("unavailable_value", "Debezium did not get the value of a column, and it cannot be kept"),
        ("moves", "it is a part of a document that another entry of indices has, or that has another routing value"),
        ("not_a_map", "keyToValue: the field is not an object"),
        ("cast_failed", "cast: the field's value cannot be of that type"),
        ("not_a_string", "split: the field is an object"),
        ("not_scalar", "join: the field holds an object or an array"),
        ("path_through_array", "a field cannot be moved into the objects of an array"),
        ("reserved_field", "it has a field that Crossfade keeps for itself"),
        ("too_large", "the transformed document is too large"),
        ("bad_base", "the indexed document cannot be merged into"),
        ("base_too_large", "the indexed document is too large to be merged into"),
        ("missing_document", "it merges into a document that is nowhere"),
        ("routing_missing", "it merges into a document that is only found with a routing value"),
        ("mapper_parsing", "the target's mapping does not take the document"),
        ("document_parsing", "the same, as newer servers call it"),
        ("field_limit", "the document would give the target's mapping more fields than it allows"),
        ("strict_dynamic_mapping", "the document has a field that a strict mapping does not name"),
        ("illegal_argument", "the target does not take the document for another reason"),
    ]

    /// What is to be said to a person who asks for reasons that neither Crossfade gives nor a letter has: one sentence
    /// a reason, with the nearest one if there is one. `seen` are the reasons of the letters that are there.
    package static func doubts(of asked: Set<String>, seen: Set<String>) -> [String] {
        let all = Set(known.map(\.code)).union(seen)
        return asked.subtracting(all).sorted().map { reason in
            let near = NearestWord.to(reason, among: all.sorted()).map { "; did you mean \"\($0)\"?" } ?? "."
            return "no dead letter has the reason \"\(reason)\"" + near
        }
    }
}
