import JSONText
import Seeds
import Testing

/// Compares random writes of every kind with a plain model of the version rules.
@Suite struct VersionModelTests {
    private struct Entry {
        var isThere = false
        var version: Int64 = 0
        var sequence: Int64 = -1
        var deletedAt: Int64 = 0
        var number: Int64 = 0
    }

    @Test(arguments: ["es-1.7", "es-5.6", "es-6.8", "es-8.17", "os-2"])
    func versionsAreAsTheModelSays(_ persona: String) {
        var random = Seeded(newSeed("VersionModelTests \(persona)"))
        let user = NodeUser(persona)
        let typed = ["es-1.7", "es-5.6", "es-6.8"].contains(persona)
        let bulk = typed ? (persona == "es-6.8" ? "/i/_doc/_bulk" : "/i/doc/_bulk") : "/i/_bulk"
        _ = user.ask("PUT", "/i", ["settings": ["number_of_shards": 1, "gc_deletes": "60s"]])
        var model: [String: Entry] = [:]
        var sequence: Int64 = -1
        for step in 0..<600 {
            if random.chance(5) { user.clock.advance(milliseconds: Int64(random.below(50_000))) }
            let now = user.clock.now
            let id = "d\(random.below(8))"
            let kind = random.pick(["index", "index", "create", "delete", "delete"])
            let type = random.pick(["internal", "external", "external_gte"])
            var line: JSONObject = ["_id": .string(id)]
            var given: Int64?
            // A create takes no version here. Another test covers internal versions.
            if type != "internal", kind != "create" {
                given = Int64(random.below(30))
                line["version"] = .number(given ?? 0)
                line["version_type"] = .string(type)
            }
            var text = JSONValue.object(JSONObject([(kind, .object(line))])).text() + "\n"
            if kind != "delete" { text += "{\"n\":\(step)}\n" }
            let answer = user.send("POST", bulk, text).answer
            let item = answer["items"]?[0]?[kind]

            var entry = model[id] ?? Entry()
            // A delete is remembered for some time. After that it counts as absent.
            let isKnown = entry.isThere || entry.version > 0 && now - entry.deletedAt <= 60_000
            let current = isKnown ? entry.version : nil
            let isOld = given.map { given in current.map { type == "external" ? $0 >= given : $0 > given } ?? false }
            if isOld ?? false || kind == "create" && entry.isThere {
                #expect(item?["status"]?.int == 409, "step \(step): \(text) \(answer)")
                continue
            }
            sequence += 1
            let wasThere = entry.isThere
            entry.version = given ?? (current ?? 0) + 1
            entry.isThere = kind != "delete"
            entry.sequence = sequence
            if kind == "delete" { entry.deletedAt = now }
            entry.number = Int64(step)
            model[id] = entry
            let expected: Int64 = kind == "delete" ? (wasThere ? 200 : 404) : wasThere ? 200 : 201
            #expect(item?["status"]?.int == expected, "step \(step): \(text) \(answer)")
            #expect(item?["_version"]?.int == entry.version, "step \(step): \(text) \(answer)")
            if persona != "es-1.7", persona != "es-5.6" {
                #expect(item?["_seq_no"]?.int == sequence, "step \(step): \(text) \(answer)")
            }
            if random.chance(20) { compare(user, model, "step \(step)") }
        }
        compare(user, model, "the end")
    }

    private func compare(_ user: NodeUser, _ model: [String: Entry], _ place: String) {
        _ = user.ask("POST", "/i/_refresh")
        #expect(user.count("i") == Int64(model.values.filter(\.isThere).count), "\(place)")
        let hits = user.ask("POST", "/i/_search", ["size": 100, "version": true]).answer["hits"]?["hits"]?.array ?? []
        for hit in hits {
            let entry = model[hit["_id"]?.string ?? ""]
            #expect(entry?.isThere == true, "\(place): \(hit)")
            #expect(hit["_version"]?.int == entry?.version, "\(place): \(hit)")
            #expect(hit["_source"]?["n"]?.int == entry?.number, "\(place): \(hit)")
        }
    }
}
