import CXXHash
import JSONText

/// A sum over bytes by which contents are compared: XXH3 with 128 bits, from libxxhash.
///
/// Digests are added up, modulo 2^128. The sum of a set does not depend on the order, and a document that is there
/// twice counts twice.
package struct ContentDigest: Sendable, Hashable, BitwiseCopyable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64 = 0, low: UInt64 = 0) { (self.high, self.low) = (high, low) }

    package init(of bytes: Bytes, seed: UInt64 = 0) {
        let hash = XXH3_128bits_withSeed(bytes.baseAddress, bytes.count, seed)
        self.init(high: hash.high64, low: hash.low64)
    }

    /// 32 hexadecimal digits.
    package var text: String {
        [high, low].map { number in
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    package static func &+ (one: ContentDigest, other: ContentDigest) -> ContentDigest {
        let (low, carry) = one.low.addingReportingOverflow(other.low)
        return ContentDigest(high: one.high &+ other.high &+ (carry ? 1 : 0), low: low)
    }

    package static func &- (one: ContentDigest, other: ContentDigest) -> ContentDigest {
        let (low, borrow) = one.low.subtractingReportingOverflow(other.low)
        return ContentDigest(high: one.high &- other.high &- (borrow ? 1 : 0), low: low)
    }
}

extension ByteBuffer {
    /// Appends the sixteen bytes of a digest.
    func append(_ digest: ContentDigest) {
        reserve(16)
        let raw = UnsafeMutableRawPointer(base + count)
        raw.storeBytes(of: digest.high, as: UInt64.self)
        raw.storeBytes(of: digest.low, toByteOffset: 8, as: UInt64.self)
        count += 16
    }
}
