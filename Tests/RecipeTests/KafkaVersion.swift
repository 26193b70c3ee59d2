import CommandLog

enum KafkaVersion {
    static let text = KafkaSettings.version
}
