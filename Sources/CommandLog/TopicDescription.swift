/// A topic as the brokers describe it.
package struct TopicDescription: Sendable {
    package struct Broker: Sendable {
        package var id: Int32
        package var host: String
        package var port: Int
    }

    package var topic: String
    /// The numbers of the partitions, ascending.
    package var partitions: [Int32]
    /// The id of the topic, which changes when the topic is created anew. Always nil: librdkafka 2.0.2 cannot ask for
    /// it.
    package var topicID: String?
    /// The broker that leads each partition; -1: no broker leads it now.
    package var leaders: [Int32: Int32]
    package var brokers: [Broker]
    package var clusterID: String?

    package init(
        topic: String, partitions: [Int32], leaders: [Int32: Int32] = [:], brokers: [Broker] = [],
        clusterID: String? = nil
    ) {
        (self.topic, self.partitions, self.leaders, self.brokers) = (topic, partitions, leaders, brokers)
        self.clusterID = clusterID
    }
}
