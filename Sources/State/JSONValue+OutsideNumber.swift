import Basics
import JSONText

/// Numbers of the state index, which others can write, within bounds.
extension JSONValue {
    /// An offset or a count.
    var count: Int64? { int.map(OutsideNumber.count) }
    /// Milliseconds since 1970.
    var time: Int64? { int.map(OutsideNumber.time) }
}
