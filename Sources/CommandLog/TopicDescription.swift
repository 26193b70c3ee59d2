/// A topic as the brokers describe it.
public struct TopicDescription: Sendable {
    public struct Broker: Sendable {
        public var id: Int32
        public var host: String
        public var port: Int
    }

    public var topic: String
    /// The numbers of the partitions, ascending.
    public var partitions: [Int32]
    /// The id of the topic, which changes when the topic is created anew. Always nil: librdkafka 2.0.2 cannot ask for
    /// it.
    public var topicID: String?
    /// The broker that leads each partition; -1: no broker leads it now.
    public var leaders: [Int32: Int32]
    public var brokers: [Broker]
    public var clusterID: String?
}
