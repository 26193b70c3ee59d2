import JSONText

/// A document as the model knows it: two fields, an object of two, and a map of four keys that is flattened for the new
/// cluster. Written by hand, apart from the code it judges.
struct Document: Equatable, Sendable {
    static let absent: Int16 = -1
    /// In the map only: null, which removes the key in the new form.
    static let null: Int16 = -2

    /// f0, f1, o.a, o.b
    var fields = SIMD4<Int16>(repeating: absent)
    /// k0 ... k3
    var tags = SIMD4<Int16>(repeating: absent)
    /// Which entry takes it, and its routing, where the recipe has several entries.
    var kind = absent
    var routing = absent

    private static let names: [StaticString] = ["\"f0\":", "\"f1\":", "\"a\":", "\"b\":"]

    mutating func merge(_ part: Document) {
        fields.replace(with: part.fields, where: part.fields .!= Self.absent)
        tags.replace(with: part.tags, where: part.tags .!= Self.absent)
        if part.kind != Self.absent { kind = part.kind }
    }

    /// As the new cluster shows it: null pairs are dropped.
    var flattened: Document {
        var document = self
        document.tags.replace(with: Self.absent, where: tags .== Self.null)
        return document
    }

    /// The text in source form.
    func write(into out: ByteBuffer) {
        out.append(UInt8(ascii: "{"))
        for index in 0..<2 where fields[index] != Self.absent { field(index, out) }
        if fields[2] != Self.absent || fields[3] != Self.absent {
            separate(out)
            out.append("\"o\":{")
            for index in 2..<4 where fields[index] != Self.absent { field(index, out) }
            out.append(UInt8(ascii: "}"))
        }
        if kind != Self.absent {
            separate(out)
            out.append("\"kind\":")
            out.append(decimal: Int64(kind))
        }
        if routing != Self.absent {
            separate(out)
            out.append("\"r\":")
            out.append(decimal: Int64(routing))
        }
        if tags != SIMD4(repeating: Self.absent) {
            separate(out)
            out.append("\"tags\":{")
            for index in 0..<4 where tags[index] != Self.absent {
                separate(out)
                out.append("\"k")
                out.append(UInt8(ascii: "0") + UInt8(index))
                out.append("\":")
                if tags[index] == Self.null { out.append("null") } else { out.append(decimal: Int64(tags[index])) }
            }
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "}"))
    }

    private func field(_ index: Int, _ out: ByteBuffer) {
        separate(out)
        out.append(Self.names[index])
        out.append(decimal: Int64(fields[index]))
    }

    private func separate(_ out: ByteBuffer) {
        if out.count > 0, out.base[out.count - 1] != UInt8(ascii: "{") { out.append(UInt8(ascii: ",")) }
    }

    init() {}

    /// Reads what the new cluster holds; nil when it is no document of ours.
    init?(target text: [UInt8]) {
        var at = 0
        func number() -> Int16? {
            var value = 0
            let start = at
            while at < text.count, text[at] >= UInt8(ascii: "0"), text[at] <= UInt8(ascii: "9") {
                value = value * 10 + Int(text[at] - UInt8(ascii: "0"))
                at += 1
            }
            return at > start ? Int16(truncatingIfNeeded: value) : nil
        }
        while at < text.count {
            guard text[at] == UInt8(ascii: "\"") else { at += 1; continue }
            let start = at + 1
            at = start
            while at < text.count, text[at] != UInt8(ascii: "\"") { at += 1 }
            let name = text[start..<at]
            at += 2
            switch name.count {
            case 2 where name.first == UInt8(ascii: "f"):
                guard let value = number() else { return nil }
                fields[Int(name[start + 1] & 1)] = value
            case 1 where name.first == UInt8(ascii: "a") || name.first == UInt8(ascii: "b"):
                guard let value = number() else { return nil }
                fields[name.first == UInt8(ascii: "a") ? 2 : 3] = value
            case 4 where name.first == UInt8(ascii: "k"):
                guard let value = number() else { return nil }
                kind = value
            case 1 where name.first == UInt8(ascii: "r"):
                guard let value = number() else { return nil }
                routing = value
            case 10:
                // "keyToValue":"k1:5"
                guard at + 4 < text.count, text[at + 1] == UInt8(ascii: "k") else { return nil }
                let key = Int(text[at + 2] & 3)
                at += 4
                guard let value = number(), tags[key] == Self.absent else { return nil }
                tags[key] = value
                at += 1
            case 5 where name.first == UInt8(ascii: "v"):
                at += 1
                while at < text.count, text[at] != UInt8(ascii: "\"") { at += 1 }
                at += 1
            default: continue
            }
        }
    }

    var text: String {
        let out = ByteBuffer()
        write(into: out)
        return String(repairing: out.bytes)
    }
}
