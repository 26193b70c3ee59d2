import Glibc

/// An address as the 16 bytes by which an `ip` field compares. Version 4 addresses are mapped into version 6.
struct InternetAddress: Sendable, Equatable, Comparable {
    var bytes: [UInt8]

    init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            bytes = withUnsafeBytes(of: &six) { Array($0) }
        } else {
            return nil
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    static func < (one: InternetAddress, other: InternetAddress) -> Bool {
        one.bytes.lexicographicallyPrecedes(other.bytes)
    }

    /// The first and the last address of `10.0.0.0/8`. For a single address both are that address.
    static func block(_ text: String) -> ClosedRange<InternetAddress>? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ InternetAddress(String($0)) }) else { return nil }
        if parts.count == 1 { return address...address }
        let offset = parts[0].contains(":") ? 0 : 96
        guard parts.count == 2, let given = Int(parts[1]), given >= 0, given <= 128 - offset else { return nil }
        var low = address.bytes
        var high = address.bytes
        for bit in (offset + given)..<128 {
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            low[bit / 8] &= ~mask
            high[bit / 8] |= mask
        }
        return InternetAddress(bytes: low)...InternetAddress(bytes: high)
    }
}
