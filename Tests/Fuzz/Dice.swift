import JSONText
import ReferenceTransform

/// Choices that the bytes of an input make, so that a fuzzer that changes bytes changes choices. When the bytes run
/// out, every choice is the first one.
struct Dice: RandomNumberGenerator {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isEmpty: Bool { at >= bytes.count }

    mutating func byte() -> UInt8 {
        guard !isEmpty else { return 0 }
        defer { at += 1 }
        return bytes[at]
    }

    /// One byte decides; the rest is constant, so that no range of the standard library asks for ever.
    mutating func next() -> UInt64 { UInt64(byte()) << 56 | 0x00A5_5A96_C33C_0F5B }

    mutating func pick<T>(_ items: [T]) -> T { items[Int(byte()) % items.count] }

    /// What is left of the input.
    mutating func rest() -> [UInt8] {
        defer { at = bytes.count }
        return at < bytes.count ? Array(bytes[at...]) : []
    }

    // MARK: JSON

    /// Names that the recipes below know, and some that are awkward.
    private static let names = [
        "id", "command", "message", "tags", "org", "rev", "a", "b", "t", "a.b", "", "é", "q\\k", "n\n\"l", "op",
        "before", "after", "payload", "long-name-of-more-than-eight", "x:y",
    ]
    private static let scalars: [JSONValue] = [
        "x", nil, true, false, .number("0"), .number("1"), .number("0.10"), .number("1e400"), .number("-0"),
        .number("9223372036854775807"), .number("9223372036854775808"), .number("-9223372036854775808"), "", "7",
        "InsertMessageCommand", "UpdateMessageCommand", "DeleteMessageCommand", "12.50", "A\u{1F600}\"\\\n\t\u{2028}",
        .string(String(repeating: "Yz", count: 40)), "true", "a,b",
    ]

    mutating func value(_ depth: Int) -> JSONValue {
        let roll = byte() % 11
        if roll == 10 { return .string(DateTexts.any(using: &self)) }
        if depth == 0 || roll < 5 { return pick(Self.scalars) }
        if roll < 8 { return .object(object(depth - 1)) }
        return .array((0..<Int(byte() % 5)).map { _ in value(depth - 1) })
    }

    mutating func object(_ depth: Int) -> JSONObject {
        var object = JSONObject()
        for _ in 0..<Int(byte() % 7) { object[pick(Self.names)] = value(depth) }
        return object
    }

    /// A document as text: mostly as it is, sometimes pretty, sometimes with some bytes changed.
    mutating func text(_ value: JSONValue) -> [UInt8] {
        let kind = byte() % 8
        var text = Array(value.text(pretty: kind == 1).utf8)
        guard kind > 5 else { return text }
        for _ in 0...Int(byte() % 3) where !text.isEmpty {
            let place = (Int(byte()) << 8 | Int(byte())) % text.count
            switch byte() % 3 {
            case 0: text[place] = byte()
            case 1: text.remove(at: place)
            default: text.insert(byte(), at: place)
            }
        }
        return text
    }
}
