import CommandLog
import Indexing

extension Recipe {
    /// How to reach the command log.
    package var kafkaSettings: KafkaSettings {
        var settings = KafkaSettings(
            bootstrap: commands.bootstrap, group: commands.group, passthrough: commands.kafka)
        settings.prefetchedBytes = memory.prefetched
        settings.fetchBytes = memory.fetch
        return settings
    }

    /// The shares of `limits.memory`.
    package var memory: MemoryBudget { MemoryBudget(limit: limits.memory) }
}
