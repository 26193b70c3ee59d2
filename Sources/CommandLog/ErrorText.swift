/// A buffer for librdkafka's error texts.
struct ErrorText {
    var bytes = [CChar](repeating: 0, count: 512)

    var string: String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
