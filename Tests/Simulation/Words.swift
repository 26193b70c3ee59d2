/// A schedule in words, for the reader of a failure.
extension World {
    func name(place slot: Int) -> String {
        let name = name(id(of: slot))
        guard layout != .single else { return name }
        let (entry, shard) = (slot / setup.ids / layout.shards, slot / setup.ids % layout.shards)
        return "\(name) in entry \(entry)\(layout.shards > 1 ? " shard \(shard)" : "")"
    }

    func words(_ step: Step) -> String {
        switch step.kind {
        case .crash, .pause, .resume, .read, .send, .work, .commit:
            guard !engines.isEmpty else { return "\(step.kind): nobody" }
            return "\(step.kind): \(words(engines[Int(step.a) % engines.count]))"
        default: return "\(step.kind)"
        }
    }

    private func words(_ engine: Engine) -> String {
        "\(engine.kind) \(engine.number)\(engine.isPaused ? ", that stands still" : "")"
    }

    func words(_ wire: Wire) -> String {
        let sender = engine(wire.engine).map { words($0) } ?? "somebody gone"
        switch wire.load {
        case .bulk(_, let items, let round):
            let writes = items.map { item in
                "\(name(place: slot(of: item))) v\(item.version)\(item.isTombstone ? " tombstone" : "")"
            }
            return "\(sender)\(round > 0 ? ", copy round \(round)" : "") writes \(writes.joined(separator: ", "))"
        case .letter(_, let letter): return "\(sender) buries offset \(letter.offset)"
        case .read: return "\(sender) reads a base"
        case .purge(let found, _): return "the purge of \(found.map { name(place: $0.id) }.joined(separator: ", "))"
        }
    }
}

extension Setup: CustomStringConvertible {
    public var description: String {
        let ids = known.enumerated().map { id, bits in
            String(UnicodeScalar(UInt8(ascii: "a") + UInt8(id))) + (bits == 0 ? "" : " (in the old cluster)")
        }
        return
            "\(partitions) partitions, documents \(ids.joined(separator: ", ")); missing: "
            + "\(missing); "
            + "replay from \(fromBeginning ? "beginning" : "recorded"), \(trimmed) offsets gone before"
    }
}
