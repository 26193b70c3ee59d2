/// Numbers that others can write: headers of dead letters, notes of commits, documents of the state index, answers of
/// servers. They are brought into bounds where they are read, so that no sum or difference of them overflows later. A
/// tidy rule finds those that are read otherwise.
package enum OutsideNumber {
    /// More than any offset or count: 2^46, seventy million million. A hundred thousand of them can be added up; what
    /// may be longer than that is added up by ``sum(_:)``.
    package static let most: Int64 = 1 << 46
    /// The last millisecond since 1970 that is believed: 2^50, in the year 37,647.
    package static let lastTime: Int64 = 1 << 50

    /// An offset or a count; what is beyond the bounds becomes the bound. -1 stands for what is not known.
    package static func count(_ number: Int64) -> Int64 { min(max(number, -1), most) }

    /// Milliseconds since 1970, or before it; what is beyond the bounds becomes the bound.
    package static func time(_ number: Int64) -> Int64 { min(max(number, -lastTime), lastTime) }

    /// An offset that may be one; nil: no log has it.
    package static func offset(_ number: Int64) -> Int64? { 0..<most ~= number ? number : nil }

    /// The same of a decimal number in a text; nil: it is none.
    package static func count(text: some StringProtocol) -> Int64? { Int64(text).map { count($0) } }
    package static func time(text: some StringProtocol) -> Int64? { Int64(text).map { time($0) } }
    package static func offset(text: some StringProtocol) -> Int64? { Int64(text).flatMap { offset($0) } }
    package static func size(text: some StringProtocol) -> Int? { count(text: text).map { Int($0) } }

    /// A number that is only compared, handed on or shown, as it stands: a version, a sequence number of a text.
    package static func compared(text: some StringProtocol) -> Int64? { Int64(text) }

    /// The sum of however many, within the bounds.
    package static func sum(_ numbers: some Sequence<Int>) -> Int {
        numbers.reduce(0) { Int(count(Int64(clamping: $0 &+ Int(count(Int64($1)))))) }
    }
}

/// Numbers in bounds.
extension JSONValue {
    /// An offset or a count, see ``OutsideNumber/count(_:)``; nil: this is no integer of 64 bits.
    package var count: Int64? { int.map { OutsideNumber.count($0) } }
    /// A count of what is held in memory or written by us.
    package var size: Int? { count.map { Int($0) } }
    /// Milliseconds since 1970, see ``OutsideNumber/time(_:)``.
    package var time: Int64? { int.map { OutsideNumber.time($0) } }
    /// A number that is only compared, handed on or shown, as it stands: a version, a sequence number.
    package var compared: Int64? { int }
}
