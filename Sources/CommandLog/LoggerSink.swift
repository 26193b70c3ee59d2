import Commands
import Telemetry

extension Logger {
    /// Takes what librdkafka has to say, at debug level: what matters comes as an error.
    package var kafka: KafkaLogSink {
        { line in self.debug("librdkafka", ["facility": line.facility, "said": line.text]) }
    }
}
