import Basics
import Failures

/// What `accept` may say.
extension RecipeRules {
    func checkAcceptances() {
        var seen: [String: SourceMark] = [:]
        for value in root["accept"]?.items ?? [] {
            guard let rail = value["rail"], let name = rail.text else { continue }
            if let first = seen[name] {
                problems.add(rail.mark, "the rail \(name) is accepted twice, first in line \(first.line)")
            } else {
                seen[name] = rail.mark
            }
            let judgesIDs = RailCatalogue.judgesIDs(name)
            if judgesIDs, value["ids"] == nil {
                problems.add(rail.mark, "the rail \(name) is accepted only for single ids: name them in `ids`")
            } else if !judgesIDs, let ids = value["ids"] {
                problems.add(ids.mark, "the rail \(name) does not judge single ids: leave out `ids`")
            }
        }
    }
}
