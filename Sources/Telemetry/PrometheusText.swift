/// Writes the text format that Prometheus reads, version 0.0.4.
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
package enum PrometheusText {
    /// The media type of the text.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The text for these families. A family without samples is left out.
    package static func write(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families where !family.samples.isEmpty {
            text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples { write(sample, of: family, into: &text) }
        }
        return text
    }

    private static func write(_ sample: MetricFamily.Sample, of family: MetricFamily, into text: inout String) {
        switch sample.value {
        case .whole(let number): line(family.name, sample.labels, String(number), into: &text)
        case .real(let number): line(family.name, sample.labels, plain(number), into: &text)
        case .histogram(let figures):
            for (bound, count) in figures.cumulative {
                line(family.name + "_bucket", sample.labels + [("le", plain(bound))], String(count), into: &text)
            }
            line(family.name + "_bucket", sample.labels + [("le", "+Inf")], String(figures.count), into: &text)
            line(family.name + "_sum", sample.labels, plain(figures.sum), into: &text)
            line(family.name + "_count", sample.labels, String(figures.count), into: &text)
        }
    }

    private static func line(
        _ name: String, _ labels: [(name: String, value: String)], _ value: String, into text: inout String
    ) {
        text += name
        if !labels.isEmpty {
            let parts = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
            text += "{" + parts.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    /// A number as Prometheus reads it.
    static func plain(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        if number == number.rounded(), abs(number) < 1e15 { return String(Int64(number)) }
        return "\(number)"
    }

    static func escaped(_ value: String, quotes: Bool) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\"" where quotes: text += "\\\""
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}
