import JSONText

/// The answer is not what it must be.
struct AnswerProblem: Error {
    /// The byte at which that was found.
    var offset: Int
    /// There is more than was asked for; the rest was not read.
    var isTooMuch = false
}

/// Walks through the bytes of a server's JSON answer.
///
/// It trusts the server to write JSON: it checks only the bytes that it steps on, and skips a document by its brackets.
/// The code that uses the document validates it. It never reads beyond the end of the answer.
struct AnswerCursor {
    let base: UnsafePointer<UInt8>
    let count: Int
    var at = 0

    init(_ bytes: Bytes, at: Int = 0) throws(AnswerProblem) {
        guard let start = bytes.baseAddress else { throw AnswerProblem(offset: 0) }
        base = start
        count = bytes.count
        self.at = at
    }

    @inline(__always) private var problem: AnswerProblem { AnswerProblem(offset: at) }

    @inline(__always) mutating func space() {
        while at < count {
            let byte = base[at]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            at &+= 1
        }
    }

    /// The next byte that is not white space. The cursor stays on it.
    @inline(__always) mutating func peek() throws(AnswerProblem) -> UInt8 {
        space()
        guard at < count else { throw problem }
        return base[at]
    }

    @inline(__always) private mutating func take(_ byte: UInt8) throws(AnswerProblem) {
        guard try peek() == byte else { throw problem }
        at &+= 1
    }

    /// Enters an object. Gives its first key, with the cursor on that key's value; nil when the object is empty.
    mutating func firstKey() throws(AnswerProblem) -> Range<Int>? {
        try take(UInt8(ascii: "{"))
        guard try peek() != UInt8(ascii: "}") else {
            at &+= 1
            return nil
        }
        return try key()
    }

    /// The next key of an object, called behind a value; nil at the end of the object.
    mutating func nextKey() throws(AnswerProblem) -> Range<Int>? {
        switch try peek() {
        case UInt8(ascii: ","):
            at &+= 1
            return try key()
        case UInt8(ascii: "}"):
            at &+= 1
            return nil
        default: throw problem
        }
    }

    private mutating func key() throws(AnswerProblem) -> Range<Int> {
        let key = try string()
        try take(UInt8(ascii: ":"))
        space()
        return key
    }

    /// Enters an array. False when it is empty.
    mutating func firstElement() throws(AnswerProblem) -> Bool {
        try take(UInt8(ascii: "["))
        guard try peek() != UInt8(ascii: "]") else {
            at &+= 1
            return false
        }
        return true
    }

    /// Called behind an element of an array: whether another one follows.
    mutating func nextElement() throws(AnswerProblem) -> Bool {
        switch try peek() {
        case UInt8(ascii: ","):
            at &+= 1
            return true
        case UInt8(ascii: "]"):
            at &+= 1
            return false
        default: throw problem
        }
    }

    /// Called behind the whole answer: nothing but white space may follow. A stored text with brackets too many ends
    /// the answer early.
    mutating func end() throws(AnswerProblem) {
        space()
        guard at == count else { throw problem }
    }

    /// Passes a byte order mark, which servers store with a document and give back before it.
    @inline(__always) mutating func byteOrderMark() {
        guard at &+ 3 <= count, base[at] == 0xEF, base[at &+ 1] == 0xBB, base[at &+ 2] == 0xBF else { return }
        at &+= 3
    }

    /// Reads a string. The range includes the quotes.
    mutating func string() throws(AnswerProblem) -> Range<Int> {
        guard try peek() == UInt8(ascii: "\"") else { throw problem }
        let start = at
        try skipString()
        return start..<at
    }

    /// Reads a string with its quotes, or null (nil).
    mutating func optionalString() throws(AnswerProblem) -> Range<Int>? {
        if try peek() == UInt8(ascii: "n") {
            _ = try value()
            return nil
        }
        return try string()
    }

    mutating func integer() throws(AnswerProblem) -> Int64 {
        let negative = try peek() == UInt8(ascii: "-")
        if negative { at &+= 1 }
        var number: Int64 = 0
        let start = at
        while at < count, case let digit = base[at] &- 0x30, digit <= 9 {
            let (product, over) = number.multipliedReportingOverflow(by: 10)
            let (sum, above) = product.addingReportingOverflow(Int64(digit))
            guard !over, !above else { throw problem }
            number = sum
            at &+= 1
        }
        guard at > start else { throw problem }
        return negative ? -number : number
    }

    mutating func boolean() throws(AnswerProblem) -> Bool {
        let range = try value()
        if isText(range, "true") { return true }
        guard isText(range, "false") else { throw AnswerProblem(offset: range.lowerBound) }
        return false
    }

    /// Reads any value. The range covers its whole JSON text.
    mutating func value() throws(AnswerProblem) -> Range<Int> {
        let first = try peek()
        let start = at
        switch first {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try skipNested()
        default:
            while at < count, AnswerCursor.isScalarByte(base[at]) { at &+= 1 }
            guard at > start else { throw problem }
        }
        return start..<at
    }

    @inline(__always) private static func isScalarByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."): true
        default: false
        }
    }

    /// Moves from an opening bracket to behind the bracket that closes it.
    private mutating func skipNested() throws(AnswerProblem) {
        var depth = 0
        while at < count {
            switch base[at] {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth &+= 1
                at &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth &-= 1
                at &+= 1
                if depth == 0 { return }
            default: at &+= 1
            }
        }
        throw problem
    }

    /// Moves from the opening quote to behind the closing one, eight bytes at a step.
    @inline(__always) private mutating func skipString() throws(AnswerProblem) {
        at &+= 1
        while true {
            while at &+ 8 <= count {
                let word = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
                let marks =
                    AnswerCursor.zeroes(word ^ 0x2222_2222_2222_2222)
                    | AnswerCursor.zeroes(word ^ 0x5C5C_5C5C_5C5C_5C5C)
                if marks != 0 {
                    at &+= marks.trailingZeroBitCount &>> 3
                    break
                }
                at &+= 8
            }
            guard at < count else { throw problem }
            switch base[at] {
            case UInt8(ascii: "\""):
                at &+= 1
                return
            case UInt8(ascii: "\\"): at &+= 2
            default: at &+= 1
            }
        }
    }

    /// Sets the high bit of each byte that is zero. Only the lowest bit that is set can be trusted; nothing else is
    /// used.
    @inline(__always) private static func zeroes(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }

    /// Whether the string at `range`, which includes its quotes, is `text`.
    @inline(__always) func isKey(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount &+ 2
            && same(range.lowerBound &+ 1, text)
    }

    @inline(__always) func isText(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount && same(range.lowerBound, text)
    }

    @inline(__always) private func same(_ start: Int, _ text: StaticString) -> Bool {
        let wanted = text.utf8Start
        for offset in 0..<text.utf8CodeUnitCount where base[start &+ offset] != wanted[offset] { return false }
        return true
    }

    func text(_ range: Range<Int>) -> String {
        String(repairing: Bytes(start: base + range.lowerBound, count: range.count))
    }
}
