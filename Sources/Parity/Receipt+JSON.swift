import JSONText

// The receipt as JSON, as it is stored and as `--format json` prints it. Names are in snake_case; what is not known is
// null. Names and meanings stay; a new meaning gets a new name.
extension Receipt {
    /// The form of the JSON; a receipt of a greater one is not read.
    package static let form: Int64 = 1

    package var json: JSONValue {
        [
            "receipt": .string(id), "form": .number(Self.form), "verdict": .string(verdict.rawValue),
            "migration": .string(migration), "version": .string(version), "fingerprint": .string(fingerprint),
            "basis": .string(basis.rawValue), "since": .text(since), "source": source?.json ?? .null,
            "target": target.json, "topic": ["name": .string(topic), "id": .text(topicID)],
            "began": .number(began), "ended": .number(ended), "oldest_read": .number(oldestRead),
            "totals": totals.json, "remarks": .array(remarks.map { .string($0) }),
            "indices": .array(indices.map(\.json)), "positions": .array(positions.map(\.json)),
            "examples": .array(examples.map(\.json)), "sample": .array(sample.map(\.json)),
            "repair": repair?.json ?? .null, "rechecks": rechecks.json,
            "open": .array(open.map(\.json)), "open_unlisted": .number(openUnlisted),
            "stopped": .bool(hasStopped),
            "needs": .array(needs.map { .string($0.rawValue) }), "sequence_read": .whole(sequenceRead),
            "meanwhile": .number(meanwhile), "source_written": WriteMark.json(sourceWritten),
            "source_indices": .object(
                JSONObject(sourceIndices.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
        ]
    }

    /// nil: it is no receipt that this version understands.
    package init?(json: JSONValue) {
        guard let form = json["form"]?.count, form <= Self.form, let id = json["receipt"]?.string,
            let verdict = json["verdict"]?.string.flatMap(Verdict.init), let migration = json["migration"]?.string,
            let version = json["version"]?.string, let fingerprint = json["fingerprint"]?.string,
            let basis = json["basis"]?.string.flatMap(Basis.init), let target = json["target"].flatMap(Side.init),
            let topic = json["topic"]?["name"]?.string, let began = json["began"]?.time,
            let ended = json["ended"]?.time, let oldest = json["oldest_read"]?.time
        else { return nil }
        self.init(
            id: id, migration: migration, version: version, fingerprint: fingerprint, basis: basis, target: target,
            topic: topic, began: began)
        (self.ended, oldestRead, self.verdict) = (ended, oldest, verdict)
        (since, topicID) = (json["since"]?.string, json["topic"]?["id"]?.string)
        source = json["source"].flatMap(Side.init)
        remarks = json.list("remarks") { $0.string }
        indices = json.list("indices", Index.init)
        positions = json.list("positions", Position.init)
        examples = json.list("examples", Finding.init)
        sample = json.list("sample", SampledDocument.init)
        repair = json["repair"].flatMap(RepairReport.init)
        rechecks = json["rechecks"].map(Rechecks.init) ?? Rechecks()
        open = json.list("open", DocumentKey.init)
        openUnlisted = json.count("open_unlisted")
        hasStopped = json["stopped"]?.bool ?? false
        needs = json.list("needs") { $0.string.flatMap(Receipt.Need.init) }
        (sequenceRead, meanwhile) = (json["sequence_read"]?.count, json["meanwhile"]?.count ?? 0)
        sourceWritten = WriteMark.all(json["source_written"])
        for (name, uuid) in json["source_indices"]?.object ?? [:] { sourceIndices[name] = uuid.string }
    }
}

extension Receipt.Side {
    package var json: JSONValue { ["name": .string(name), "uuid": .string(uuid)] }

    package init?(json: JSONValue) {
        guard let name = json["name"]?.string, let uuid = json["uuid"]?.string else { return nil }
        self.init(name: name, uuid: uuid)
    }
}

extension Receipt.Position {
    package var json: JSONValue {
        [
            "partition": .number(Int64(partition)), "verified_up_to": .number(verifiedUpTo),
            "application": .whole(application), "crossfade": .whole(crossfade), "end": .number(end),
            "written_up_to": .whole(writtenUpTo),
        ]
    }

    package init?(json: JSONValue) {
        guard let partition = json["partition"]?.count.flatMap({ Int32(exactly: $0) }),
            let upTo = json["verified_up_to"]?.count, let end = json["end"]?.count
        else { return nil }
        self.init(
            partition: partition, verifiedUpTo: upTo, application: json["application"]?.count,
            crossfade: json["crossfade"]?.count, end: end, writtenUpTo: json["written_up_to"]?.count)
    }
}

extension Receipt.Index {
    package var json: JSONValue {
        [
            "index": .string(name), "uuid": .text(uuid), "from": .array(from.map { .string($0) }),
            "verdict": .string(verdict.rawValue),
            "source_total": .number(sourceTotal), "target_total": .number(targetTotal),
            "tombstones": .number(tombstones), "source_read": .number(sourceRead), "target_read": .number(targetRead),
            "uncopied": .number(uncopied), "totals": totals.json, "ignored": .counts(ignored),
            "histogram_field": .text(histogramField), "histogram": .array(histogram.map(\.json)),
            "fields": .array(fields.map(\.json)),
            "sequence": Self.json(sequence: sequence),
            "copies": .array(copies.map { .string($0) }),
        ]
    }

    package init?(json: JSONValue) {
        guard let name = json["index"]?.string, let verdict = json["verdict"]?.string.flatMap(Verdict.init) else {
            return nil
        }
        self.init(name: name)
        self.verdict = verdict
        (uuid, from) = (json["uuid"]?.string, json.list("from") { $0.string })
        (sourceTotal, targetTotal) = (json.count("source_total"), json.count("target_total"))
        (sourceRead, targetRead) = (json.count("source_read"), json.count("target_read"))
        (tombstones, uncopied) = (json.count("tombstones"), json.count("uncopied"))
        totals = json["totals"].map(ParityTotals.init) ?? ParityTotals()
        for (path, number) in json["ignored"]?.object ?? JSONObject() { ignored[path] = number.size ?? 0 }
        histogramField = json["histogram_field"]?.string
        histogram = json.list("histogram", Receipt.Bar.init)
        fields = json.list("fields", Receipt.FieldCount.init)
        sequence = Self.sequence(json["sequence"])
        copies = json.list("copies") { $0.string }
    }

    /// Sequence numbers by shard, as they are kept.
    package static func json(sequence: [Int: Int64]) -> JSONValue {
        .object(JSONObject(sequence.sorted { $0.key < $1.key }.map { ("\($0.key)", .number($0.value)) }))
    }

    package static func sequence(_ json: JSONValue?) -> [Int: Int64] {
        var sequence: [Int: Int64] = [:]
        for (shard, number) in json?.object ?? JSONObject() {
            if let shard = OutsideNumber.size(text: shard), let number = number.count { sequence[shard] = number }
        }
        return sequence
    }
}

extension Receipt.Bar {
    package var json: JSONValue { ["from": .number(from), "source": .number(source), "target": .number(target)] }

    package init?(json: JSONValue) {
        guard let from = json["from"]?.time else { return nil }
        self.init(from: from, source: json.count("source"), target: json.count("target"))
    }
}

extension Receipt.FieldCount {
    package var json: JSONValue {
        [
            "field": .string(field), "source": .whole(source.map { Int64($0) }), "target": .number(target),
            "ignored": .whole(ignored.map { Int64($0) }),
        ]
    }

    package init?(json: JSONValue) {
        guard let field = json["field"]?.string else { return nil }
        self.init(
            field: field, source: json["source"]?.size, target: json.count("target"),
            ignored: json["ignored"]?.size)
    }
}

extension ParityTotals {
    /// Every kind has its member: a kind that was not found is 0.
    package var json: JSONValue {
        var members: JSONObject = [
            "compared": .number(compared), "equal": .number(equal), "settling": .number(settling),
        ]
        for kind in FindingKind.allCases { members[kind.rawValue] = .number(findings[kind] ?? 0) }
        return .object(members)
    }

    package init(json: JSONValue) {
        self.init()
        (compared, equal, settling) = (json.count("compared"), json.count("equal"), json.count("settling"))
        for kind in FindingKind.allCases {
            let number = json.count(kind.rawValue)
            if number > 0 { findings[kind] = number }
        }
    }
}

extension DocumentKey {
    package var json: JSONValue {
        [
            "entry": .number(entry), "id": .string(String(decoding: id, as: UTF8.self)),
            "routing": .text(routing.map { String(decoding: $0, as: UTF8.self) }),
        ]
    }

    package init?(json: JSONValue) {
        guard let id = json["id"]?.string, let entry = json["entry"]?.size else {
            return nil
        }
        self.init(entry: entry, id: Array(id.utf8), routing: json["routing"]?.string.map { Array($0.utf8) })
    }
}

extension Finding {
    package var json: JSONValue {
        var members = key.json.object ?? JSONObject()
        members["kind"] = .string(kind.rawValue)
        members["paths"] = .array(
            paths.map { ["path": .string($0.path), "expected": .text($0.expected), "found": .text($0.found)] })
        members["note"] = .text(note)
        members["source_version"] = .whole(sourceVersion)
        members["target_version"] = .whole(targetVersion)
        return .object(members)
    }

    package init?(json: JSONValue) {
        guard let kind = json["kind"]?.string.flatMap(FindingKind.init), let key = DocumentKey(json: json) else {
            return nil
        }
        let paths: [PathDifference] = json.list("paths") { path in
            path["path"]?.string.map {
                PathDifference(path: $0, expected: path["expected"]?.string, found: path["found"]?.string)
            }
        }
        self.init(
            kind, key, paths: paths, note: json["note"]?.string, sourceVersion: json["source_version"]?.compared,
            targetVersion: json["target_version"]?.compared)
    }
}

extension SampledDocument {
    package var json: JSONValue {
        var members = key.json.object ?? JSONObject()
        (members["source"], members["expected"], members["found"]) = (.text(source), .text(expected), .text(found))
        return .object(members)
    }

    package init?(json: JSONValue) {
        guard let key = DocumentKey(json: json) else { return nil }
        self.init(
            key: key, source: json["source"]?.string, expected: json["expected"]?.string,
            found: json["found"]?.string)
    }
}

extension JSONValue {
    fileprivate static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
    fileprivate static func whole(_ number: Int64?) -> JSONValue { number.map { .number($0) } ?? .null }
    fileprivate static func counts(_ counts: [String: Int]) -> JSONValue {
        .object(JSONObject(counts.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) }))
    }

    fileprivate func count(_ name: String) -> Int { self[name]?.size ?? 0 }

    fileprivate func list<Element>(_ name: String, _ read: (JSONValue) -> Element?) -> [Element] {
        (self[name]?.array ?? []).compactMap(read)
    }
}
