import Embedded
import Foundation
import JSONText
import Migration
import Recipe
import Runtime
import SearchCluster
import Telemetry
import Trial

enum TryCommand {
    static let declaration = CommandDeclaration(
        path: ["try"],
        summary: "Show what a recipe makes of single records and documents",
        discussion: """
            Samples go through the decoder and the transform of a migration and are indexed into a search server inside
            this process, with the recipe's mapping. Nothing is written anywhere else. For each sample the command
            shows operation, id, routing, version, the resulting document and the fields that it adds to the mapping,
            or why it would be a dead letter.

            Samples come from a file with one record per line (--records), from the topic (--at) and from the source
            (--from-source); each may be given several times. The documents of the source come first, then the file's
            records, then those of the topic. An update finds what the samples before it left. Only --at reads from the
            brokers, and only --from-source reads from the old cluster.

            Exit code 1 when a sample would be a dead letter.

                crossfade try recipe.yaml --records samples.jsonl
                kcat -b kafka:9092 -t commands -o -5 -e -J | crossfade try recipe.yaml --records -
                crossfade try recipe.yaml --from-source a1 --at 0:1200
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init(
                "records", value: "FILE",
                "Records, one per line: an object with key, value, headers, partition, offset and timestamp, or the "
                    + "value alone; - reads them from standard input."),
            .init("at", value: "P:O", "The record at this partition and offset of the command topic."),
            .init("from-source", value: "ID", "The documents of this id in the source, as copy would write them."),
            .init(
                "as", value: "SERVER", suggestions: ["es-6.8", "es-7.17", "es-8.17", "es-9.0", "os-2", "os-3"],
                standard: "es-8.17", "The server that the target is: es- or os- and its version."),
        ],
        run: run)

    @Sendable private static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        do throws(UsageError) {
            let request = try TryRequest(arguments)
            return CommandRunner.withRecipe(arguments, output) { recipe, logger in
                StopSignal.listen()
                return try run(request, recipe, logger, output)
            }
        } catch {
            output.failure(error.message, code: "usage")
            return .usage
        }
    }

    private static func run(
        _ request: TryRequest, _ recipe: Recipe, _ logger: Logger, _ output: Output
    ) throws -> ExitCode {
        let server = try EmbeddedSearchServer(SearchNode(request.persona))
        defer { server.stop() }
        let cluster = try Cluster.connect(ClusterEndpoint(urls: [server.url]))
        defer { cluster.close() }
        let source = request.ids.isEmpty ? nil : try SampleReader.Source(recipe)
        let bench = try TrialBench(recipe, on: cluster, sourceMappings: try source?.mappings() ?? [])
        var results: [TrialBench.Result] = []
        for id in request.ids {
            for found in try source?.documents(id) ?? [] {
                let type = found.document.type.map { "/\($0)" } ?? ""
                results.append(
                    try bench.run(found.document, entry: found.entry, label: "\(found.index)\(type)/\(id)"))
            }
        }
        for (name, text) in request.lines {
            for (number, line) in text.enumerated() where !line.isEmpty {
                let line = SampleLine(line, number: number)
                var result = try bench.run(line.record, label: "\(name):\(number + 1)")
                (result.reading, result.hint) = (line.reading, line.hint)
                results.append(result)
            }
        }
        for place in request.places {
            let record = try SampleReader.record(
                recipe, partition: place.partition, offset: place.offset, logger: logger)
            results.append(
                try bench.run(record, label: "\(recipe.commands.topic) \(place.partition):\(place.offset)"))
        }
        let report = TryReport(server: "\(cluster.server)", results: results, notes: notes(recipe, source))
        output.data(report.json, text: report.text)
        return results.contains { $0.outcome == .deadLettered } ? .failed : .done
    }

    /// The differences between this trial and the real target.
    private static func notes(_ recipe: Recipe, _ source: SampleReader.Source?) -> [String] {
        guard source == nil else { return [] }
        return recipe.indices.filter { $0.mapping == nil && $0.from != nil }.map {
            "\($0.to) has no mapping in the recipe and will get the source's; here its fields are dynamic, because the "
                + "source was not asked (--from-source asks it)"
        }
    }
}

/// The command line's requests.
struct TryRequest {
    var persona: ServerPersona
    /// Files with one record per line.
    var lines: [(name: String, lines: [String])] = []
    var places: [(partition: Int32, offset: Int64)] = []
    var ids: [String]

    init(_ arguments: ParsedArguments) throws(UsageError) {
        let name = arguments.value("as") ?? ""
        guard let persona = ServerPersona(named: name) else {
            throw UsageError(
                message: "--as is \"\(name)\", which was never released or is not supported by Crossfade; the nearest "
                    + "that are: \(ServerPersona.nearest(to: name).joined(separator: " and ")).")
        }
        self.persona = persona
        ids = arguments.all("from-source")
        for text in arguments.all("at") {
            places.append(try recordPosition("--at", text))
        }
        let files = arguments.all("records")
        guard !files.isEmpty || !places.isEmpty || !ids.isEmpty else {
            throw UsageError(
                message: "crossfade try needs samples: --records FILE, --at PARTITION:OFFSET or --from-source ID.")
        }
        if arguments.recipe == RecipeLoader.standardInput.path, files.contains("-") {
            throw UsageError(message: "recipe and records cannot both come from standard input.")
        }
        for file in files { lines.append((file == "-" ? "<stdin>" : file, try Self.read(file))) }
    }

    private static func read(_ file: String) throws(UsageError) -> [String] {
        let handle = file == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: file)
        guard let handle else { throw UsageError(message: "the file of records \(file) cannot be opened.") }
        let data: Data
        do {
            data = try handle.read(upToCount: maximumBytes + 1) ?? Data()
        } catch {
            throw UsageError(message: "the file of records \(file) cannot be read.")
        }
        guard data.count <= maximumBytes else {
            throw UsageError(
                message: "the file of records \(file) is larger than 64 MiB (fixed limit file_size): try "
                    + "fewer at once.")
        }
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            return String(decoding: line, as: UTF8.self)
        }
        guard lines.contains(where: { !$0.isEmpty }) else {
            throw UsageError(
                message: "there are no samples in \(file == "-" ? "standard input" : file): it must have "
                    + "records, one a line.")
        }
        return lines
    }

    /// The most bytes of a file of records.
    private static let maximumBytes = 64 << 20
}
