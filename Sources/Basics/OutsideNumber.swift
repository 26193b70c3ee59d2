/// Numbers that others can write: headers of dead letters, notes of commits, documents of the state index, answers of
/// servers. They are brought into bounds where they are read, so that no sum or difference of them overflows later.
package enum OutsideNumber {
    /// More than any offset or count: 2^50. Thousands of such numbers can be added up.
    package static let most: Int64 = 1 << 50
    /// The last millisecond since 1970 that is believed: 2^50, in the year 37,647.
    package static let lastTime: Int64 = 1 << 50

    /// An offset or a count; what is beyond the bounds becomes the bound. -1 stands for what is not known.
    package static func count(_ number: Int64) -> Int64 { min(max(number, -1), most) }

    /// Milliseconds since 1970; what is beyond the bounds becomes the bound.
    package static func time(_ number: Int64) -> Int64 { min(max(number, -1), lastTime) }

    /// An offset that may be one; nil: no log has it.
    package static func offset(_ number: Int64) -> Int64? { 0..<most ~= number ? number : nil }
}
