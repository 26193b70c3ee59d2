import Parity
import Testing

@Suite struct ContentDigestTests {
    @Test func theSumDoesNotDependOnTheOrder() {
        let digests = (0..<100).map { number in
            let text = Array("document \(number)".utf8)
            return text.withUnsafeBufferPointer { ContentDigest(of: $0) }
        }
        let sum = digests.reduce(ContentDigest()) { $0 &+ $1 }
        #expect(digests.reversed().reduce(ContentDigest()) { $0 &+ $1 } == sum)
        #expect(digests.dropLast().reduce(ContentDigest()) { $0 &+ $1 } == sum &- digests[99])
        #expect(Set(digests).count == 100)
    }
}
