import CLibcurl
import CommandLog
import JSONText

/// `crossfade version`.
enum VersionCommand {
    static let declaration = CommandDeclaration(
        path: ["version"], summary: "Print the versions of Crossfade and of what it stands on", run: run)

    /// Crossfade's own version.
    static let crossfade = "0.1.0"

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        let versions = [
            ("crossfade", crossfade), ("swift", swift), ("librdkafka", KafkaSettings.version), ("libcurl", curl),
        ]
        output.data(
            .object(JSONObject(versions.map { ($0.0, .string($0.1)) })),
            text: versions.map { "\($0.0) \($0.1)" }.joined(separator: "\n"))
        return .done
    }

    /// What compiled it.
    private static var swift: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    /// The first word of `libcurl/7.88.1 OpenSSL/3.0 ...`.
    private static var curl: String {
        guard let text = curl_version() else { return "unknown" }
        let first = String(cString: text).prefix { $0 != " " }
        return String(first.drop { $0 != "/" }.dropFirst())
    }
}
