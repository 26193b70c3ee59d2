import CLibrdkafka
import Foundation

/// What librdkafka says of itself.
enum LibraryProperties {
    /// All properties with their descriptions, as `rd_kafka_conf_properties_show` prints them.
    static let all: [(name: String, about: String)] = {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("crossfade-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard let file = fopen(path, "w") else { return [] }
        rd_kafka_conf_properties_show(file)
        fclose(file)
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "|", maxSplits: 5, omittingEmptySubsequences: false)
            guard columns.count == 6 else { return nil }
            return (columns[0].trimmingCharacters(in: .whitespaces), String(columns[5]))
        }
    }()
}
