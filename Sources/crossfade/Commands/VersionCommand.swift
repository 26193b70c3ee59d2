import CommandLog
import HTTPServer
import JSONText
import Migration
import Planning
import Recipe
import SearchCluster

enum VersionCommand {
    static let declaration = CommandDeclaration(
        path: ["version"], summary: "Print the versions of Crossfade and of the libraries it uses", run: run)

    /// The version of Crossfade.
    static let crossfade = "0.1.0"
    /// The date of this version, for the manual page.
    static let released = "2026-11-28"

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        let versions = [
            ("crossfade", crossfade), ("swift", swift), ("librdkafka", KafkaSettings.version),
            ("libcurl", HTTPTransport.libraryVersion), ("libyaml", YAMLLoader.libraryVersion),
            ("libxxhash", Fingerprint.libraryVersion), ("libmicrohttpd", HTTPServer.libraryVersion),
        ]
        output.data(
            .object(JSONObject(versions.map { ($0.0, .string($0.1)) })),
            text: versions.map { "\($0.0) \($0.1)" }.joined(separator: "\n"))
        return .done
    }

    /// The compiler.
    private static var swift: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
