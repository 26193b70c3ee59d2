import JSONText

extension SearchNode {
    /// `_mget` returns the current documents, whether a search sees them yet or not.
    func multiGet(_ call: NodeCall, index: String?, type: String?) throws(NodeError) -> NodeAnswer {
        let body = try call.json(persona)
        let standard = SourceFilter(call) ?? .whole
        var asked: [(Asked, String?)] = []
        for entry in body["docs"]?.array ?? [] {
            guard let name = entry["_index"]?.string ?? index else {
                throw persona.invalid(["index is missing for doc 0"])
            }
            let source = entry["_source"].map { SourceFilter($0) } ?? standard
            asked.append(
                (
                    Asked(
                        index: name, type: entry["_type"]?.string ?? type, id: text(entry["_id"]) ?? "",
                        routing: text(entry["routing"] ?? entry["_routing"] ?? entry["parent"]), source: source), nil
                ))
        }
        for id in body["ids"]?.array ?? [] {
            guard let index else { throw persona.invalid(["index is missing for doc 0"]) }
            asked.append((Asked(index: index, type: type, id: text(id) ?? "", routing: nil, source: standard), nil))
        }
        guard !asked.isEmpty else { throw persona.invalid(["no documents to get"]) }
        let filter = call.filter
        if filter == nil { return NodeAnswer(status: 200, body: .bytes(multiGetBytes(asked.map(\.0)))) }
        return .json(["docs": .array(asked.map { document($0.0) })])
    }

    private func text(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text), .number(let text): text
        default: nil
        }
    }

    private func document(_ asked: Asked) -> JSONValue {
        do throws(NodeError) {
            // Before 7.0 a missing routing may still find the document's shard by chance. Later versions refuse it.
            return answer(asked, try find(asked, requiresRouting: persona.since(7)))
        } catch {
            var answer: JSONObject = ["_index": .string(asked.index)]
            if persona.answersWithType {
                answer["_type"] = asked.type.map { .string($0) } ?? (persona.isTyped ? .null : "_doc")
            }
            answer["_id"] = .string(asked.id)
            let isMissing = error.type == "index_not_found_exception"
            let classic = isMissing ? "[\(asked.index)] missing" : error.classicText
            answer["error"] = persona.since(2) ? .object(error.withRoot) : .string(classic)
            return .object(answer)
        }
    }

    /// The same answer as bytes. It copies the stored sources without parsing them.
    private func multiGetBytes(_ asked: [Asked]) -> [UInt8] {
        let out = ByteBuffer(capacity: 1 << 14)
        out.append("{\"docs\":[")
        for (number, one) in asked.enumerated() {
            if number > 0 { out.append(UInt8(ascii: ",")) }
            guard one.source.isWhole, one.source.isGiven,
                let found = try? find(one, requiresRouting: persona.since(7)), let document = found.document,
                !document.source.isEmpty
            else {
                self.document(one).write(into: out)
                continue
            }
            var bare = one
            bare.source = .none
            guard case .object(let head) = answer(bare, found) else { continue }
            JSONValue.object(head).write(into: out)
            out.count -= 1
            out.append(",\"_source\":")
            document.source.withUnsafeBufferPointer { out.append($0) }
            out.append(UInt8(ascii: "}"))
        }
        out.append("]}")
        return Array(out.bytes)
    }
}
