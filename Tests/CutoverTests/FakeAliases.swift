import Cutover
import JSONText

/// Aliases of a cluster, as Elasticsearch from 6.4 on and OpenSearch keep them: all actions of a request or none.
struct FakeAliases {
    let knowsMustExist: Bool
    /// Alias to index to whether it is the write index.
    private(set) var aliases: [String: [String: Bool]] = [:]

    init(knowsMustExist: Bool, _ alias: String, on index: String) {
        self.knowsMustExist = knowsMustExist
        aliases[alias] = [index: false]
    }

    func indices(behind alias: String) -> [String] { (aliases[alias] ?? [:]).keys.sorted() }

    /// Returns whether it was applied.
    mutating func apply(_ actions: [JSONValue]) -> Bool {
        var changed = aliases
        for action in actions {
            guard let (verb, body) = action.object?.first, let index = body["index"]?.string,
                let alias = body["alias"]?.string
            else { return false }
            if verb == "add" {
                changed[alias, default: [:]][index] = body["is_write_index"]?.bool ?? false
            } else {
                if body["must_exist"]?.bool == true, changed[alias]?[index] == nil { return false }
                changed[alias]?[index] = nil
            }
        }
        guard changed.values.allSatisfy({ $0.values.filter { $0 }.count < 2 }) else { return false }
        aliases = changed
        return true
    }

    /// Somebody's own request.
    mutating func move(_ alias: String, to index: String) { aliases[alias] = [index: false] }
}
