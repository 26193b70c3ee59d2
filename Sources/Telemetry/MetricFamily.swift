/// The measurements of one name at one moment.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package enum Value: Sendable {
        case whole(Int64)
        case real(Double)
        case histogram(HistogramFigures)
    }

    package struct Sample: Sendable {
        package var labels: [(name: String, value: String)]
        package var value: Value
    }

    package let name: String
    package let help: String
    package let kind: Kind
    package var samples: [Sample] = []

    package init(_ name: String, _ kind: Kind, _ help: String) {
        (self.name, self.help, self.kind) = (name, help, kind)
    }

    package mutating func add(_ value: Value, _ labels: [(name: String, value: String)] = []) {
        samples.append(Sample(labels: labels, value: value))
    }
}
