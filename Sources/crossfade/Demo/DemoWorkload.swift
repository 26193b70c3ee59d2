import Basics
import JSONText

/// A record of the command topic, as the application writes it.
struct DemoRecord: Sendable {
    enum Kind: String, CaseIterable, Sendable { case insert, update, delete, ping, broken }

    var kind: Kind
    var key: String
    var value: String
}

/// The commands of an application that watches machines. It opens, changes and deletes alerts, and nobody limits the
/// keys of their tags. The same seed gives the same commands.
struct DemoWorkload {
    private var random: SplitMix64
    private var number = 0
    private var live: [String] = []
    private var gone: [String] = []
    private var born = 0
    private var tagKeys = 0
    /// This many of 100 inserted alerts bring a new tag key.
    var newKeys: Int

    init(seed: UInt64, newKeys: Int) {
        random = SplitMix64(seed: seed)
        self.newKeys = newKeys
    }

    mutating func next() -> DemoRecord {
        defer { number += 1 }
        // Now and then a record is cut off, as if the writer had been killed while it wrote.
        if number % 1500 == 700 {
            return DemoRecord(
                kind: .broken, key: "broken-\(number)", value: "{\"command\":\"InsertMessageCommand\",\"id\":\"broken-")
        }
        let dice = random.below(100)
        if dice < 6 { return ping() }
        if dice < 14, live.count > 20 { return delete() }
        if dice < 42, live.count > 20 { return update() }
        return insert()
    }

    private mutating func ping() -> DemoRecord {
        DemoRecord(kind: .ping, key: "writer", value: "{\"command\":\"PingCommand\",\"id\":\"writer\",\"n\":\(number)}")
    }

    private mutating func delete() -> DemoRecord {
        let at = random.below(live.count)
        let id = live[at]
        live[at] = live[live.count - 1]
        live.removeLast()
        gone.append(id)
        return record(.delete, "DeleteMessageCommand", id, nil)
    }

    private mutating func update() -> DemoRecord {
        let id = live[random.below(live.count)]
        var change: JSONObject = ["status": .string(["acknowledged", "closed", "open"][random.below(3)])]
        if random.chance(50) { change["severity"] = .number(random.below(5) + 1) }
        if random.chance(40) { change["tags"] = .object(["owner": .string("team-\(random.below(9))")]) }
        return record(.update, "UpdateMessageCommand", id, change)
    }

    private mutating func insert() -> DemoRecord {
        let id: String
        if random.chance(6), !live.isEmpty {
            id = live[random.below(live.count)]
        } else if random.chance(10), let last = gone.popLast() {
            // A deleted document is created again.
            id = last
            live.append(id)
        } else {
            let digits = String(born)
            id = "alert-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            born += 1
            live.append(id)
        }
        return record(.insert, "InsertMessageCommand", id, alert())
    }

    private mutating func alert() -> JSONObject {
        let host = "\(["db", "web", "queue", "cache"][random.below(4)])-\(random.below(60))"
        let what = ["disk full", "slow answers", "no heartbeat", "certificate ends soon", "queue too long"]
        return [
            "title": .string("\(what[random.below(what.count)]) on \(host)"), "status": "open",
            "severity": .number(random.below(5) + 1), "opened_at": .number(1_700_000_000_000 + number * 250),
            "load": .number("\(random.below(90)).\(random.below(10))0"),
            "host": ["name": .string(host), "address": .string("10.0.\(random.below(16)).\(random.below(250))")],
            "tags": .object(tags(host)),
        ]
    }

    private mutating func tags(_ host: String) -> JSONObject {
        var tags: JSONObject = ["host": .string(host), "region": .string(["eu", "us", "ap"][random.below(3)])]
        if random.chance(50) { tags["attempts"] = .number(random.below(9)) }
        if random.chance(30) { tags["paged"] = .bool(random.chance(50)) }
        let isNew = tagKeys == 0 || random.chance(newKeys)
        if isNew { tagKeys += 1 }
        // Every job has its own tag key. This makes the old mapping grow.
        let key = isNew ? tagKeys - 1 : random.below(tagKeys)
        tags["job-\(key)"] = .string("run \(random.below(1000))")
        return tags
    }

    private func record(_ kind: DemoRecord.Kind, _ command: String, _ id: String, _ message: JSONObject?) -> DemoRecord
    {
        var value: JSONObject = ["command": .string(command), "id": .string(id)]
        if let message { value["message"] = .object(message) }
        return DemoRecord(kind: kind, key: id, value: JSONValue.object(value).text())
    }
}

/// The documents that the commands must result in. It is small and shares no code with Crossfade's decoder and
/// transform, so it can check them.
struct DemoModel: Sendable {
    /// The documents as the application knows them, with their map of tags.
    private(set) var documents: [String: JSONObject] = [:]

    /// Applies a command. Returns the id that it changed; nil: none.
    @discardableResult mutating func apply(_ text: String) -> String? {
        guard let record = try? JSONValue(parsing: text), let command = record["command"]?.string,
            let id = record["id"]?.string
        else { return nil }
        switch (command, record["message"]?.object) {
        case ("InsertMessageCommand", let message?): documents[id] = message
        case ("UpdateMessageCommand", let change?):
            documents[id] = Self.merged(documents[id] ?? JSONObject(), change)
        case ("DeleteMessageCommand", _): documents[id] = nil
        default: return nil
        }
        return id
    }

    /// Merges like the update API: objects recursively; everything else is replaced.
    private static func merged(_ base: JSONObject, _ change: JSONObject) -> JSONObject {
        var result = base
        for (key, value) in change {
            if let inner = value.object, let before = result[key]?.object {
                result[key] = .object(merged(before, inner))
            } else {
                result[key] = value
            }
        }
        return result
    }

    /// The document in the new schema; nil: it does not exist.
    func expected(_ id: String) -> JSONValue? {
        guard var document = documents[id] else { return nil }
        if let tags = document["tags"]?.object {
            let pairs = tags.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            document["tags"] = .array(
                pairs.map { key, value in
                    let text = value.string ?? value.text()
                    return ["keyToValue": .string("\(key):\(text)"), "value": .string(text)]
                })
        }
        return .object(document)
    }
}
