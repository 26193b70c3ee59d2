extension JSONScanner {
    /// Whether two texts of `count` bytes are the same. It is made for short texts.
    @inlinable @inline(__always) public static func same(
        _ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>, _ count: Int
    ) -> Bool {
        var at = 0
        while at &+ 8 <= count {
            guard word(one, at) == word(other, at) else { return false }
            at &+= 8
        }
        while at < count {
            guard one[at] == other[at] else { return false }
            at &+= 1
        }
        return true
    }
}
