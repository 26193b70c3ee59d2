/// The measurements of one name at one moment.
public struct MetricFamily: Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public enum Value: Sendable {
        case whole(Int64)
        case real(Double)
        case histogram(HistogramFigures)
    }

    public struct Sample: Sendable {
        public var labels: [(name: String, value: String)]
        public var value: Value
    }

    public let name: String
    public let help: String
    public let kind: Kind
    public var samples: [Sample] = []

    public init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.help = help
        self.kind = kind
    }

    public mutating func add(_ value: Value, _ labels: [(name: String, value: String)] = []) {
        samples.append(Sample(labels: labels, value: value))
    }
}
