/// Which offset of a partition is kept where it is committed to, as far as the answers tell.
///
/// An offset counts as kept only when the answer has come. One whose commit failed is sent again.
struct OffsetCommit: Sendable, Equatable {
    /// The offset of the last commit that succeeded; nil: none did yet.
    private(set) var kept: Int64?
    /// The offset of the last commit that is not answered yet.
    private(set) var underWay: Int64?

    /// Whether the offset is to be sent. `now`: nothing can be sent later, so an answer that is still to come does not
    /// count.
    func wants(_ offset: Int64, now: Bool) -> Bool { offset != kept && (now || offset != underWay) }

    mutating func sent(_ offset: Int64) { underWay = offset }

    /// Answers come in the order in which the broker took the commits. So the last one tells what is kept, even where
    /// commits overtook each other.
    mutating func answered(_ offset: Int64, isKept: Bool) {
        if isKept { kept = offset }
        if underWay == offset { underWay = nil }
    }
}
