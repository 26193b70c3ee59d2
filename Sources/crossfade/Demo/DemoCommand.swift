import CommandLog
import Embedded
import Foundation
import JSONText
import SearchCluster

enum DemoCommand {
    static let declaration = CommandDeclaration(
        path: ["demo"],
        summary: "A whole migration before your eyes, with nothing but this program",
        discussion: """
            A Kafka broker, an Elasticsearch 1.7 and an Elasticsearch 6.8 are simulated in this process; an application
            writes to them all the time. Crossfade moves its index, survives a kill -9, and every document is compared.
            It takes about a minute. With --kafka, --old and --new the same happens on real servers, in topics and
            indices that the demo creates. It deletes them at the end, unless --keep is given.

            Exit codes: 0 no difference, 4 the new index differs, 1 something else failed.
            """,
        options: [
            .init(
                "seed", value: "N", standard: "17",
                "Selects the commands that the application writes. The same number gives the same commands."),
            .init("duration", value: "SECONDS", standard: "40", "How long the application writes at its rate."),
            .init("rate", value: "N", standard: "200", "Commands per second."),
            .init(
                "keep", "Go on after the receipt until Ctrl-C, and print addresses and commands to look around with."),
            .init("kafka", value: "HOST:PORT", "A real Kafka; with --old and --new."),
            .init("old", value: "URL", "The cluster to move from."),
            .init("new", value: "URL", "The cluster to move to."),
            .init("name", value: "NAME", "The end of all names on real servers. Default: a random one."),
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        let screen = DemoScreen(format: output.format)
        do {
            let options = try options(arguments)
            let addresses = try addresses(arguments)
            DemoSignals.listen()
            return try tell(options, addresses, screen, output)
        } catch let error as UsageError {
            output.failure(error.message, code: "usage")
            return .usage
        } catch let error as DemoError {
            if error.code == .interrupted {
                screen.line()
                screen.line("interrupted; everything is tidied up")
                return .interrupted
            }
            output.failure(error.message, code: error.code == .refused ? "refused" : "failed")
            return error.code
        } catch {
            output.failure("\(error)", code: "failed")
            return .failed
        }
    }

    private static func tell(
        _ options: DemoOptions, _ addresses: Addresses?, _ screen: DemoScreen, _ output: Output
    ) throws -> ExitCode {
        let stage = try addresses.map { try DemoStage.real($0) } ?? DemoStage.embedded()
        let servers = stage.servers
        // On real servers, --keep leaves the indices for the user to look at.
        var keepsServers = false
        defer { servers.close(deleting: !keepsServers) }
        screen.line("Crossfade: a live search index moves to a new cluster, while it is written.", .heading)
        screen.line()
        screen.table(
            [
                ("old cluster", "\(servers.old.server) at \(servers.oldURL)"),
                ("new cluster", "\(servers.new.server) at \(servers.newURL)"),
                ("command log", "\(servers.isEmbedded ? "embedded broker" : "Kafka") at \(servers.bootstrap)"),
                ("dashboard", "http://\(servers.dashboard), while copy, replay and follow run"),
            ])
        try servers.make(createTopic: stage.createTopic)
        let folder = try DemoFolder(servers)
        defer { folder.remove() }
        let session = try DemoSession(servers, folder, options, screen)
        defer { session.end() }
        let story = DemoStory(session: session)
        try story.tell()
        if output.format == .json { output.line(session.receipt.json.text()) }
        let code: ExitCode =
            session.receipt.passed ? .done : session.receipt.comparison?.differences == 0 ? .failed : .differs
        if options.keeps {
            try story.keep()
            keepsServers = !servers.isEmbedded
        }
        return code
    }

    // MARK: Options

    struct Addresses {
        var kafka: String
        var old: String
        var new: String
        var name: String
    }

    private static func addresses(_ arguments: ParsedArguments) throws -> Addresses? {
        let given = ["kafka", "old", "new"].compactMap { arguments.value($0) }
        if given.isEmpty {
            guard arguments.value("name") == nil else {
                throw UsageError(
                    message: "--name names what is made on real servers: give --kafka, --old and --new with it, or "
                        + "leave it out.")
            }
            return nil
        }
        guard given.count == 3 else {
            throw UsageError(
                message: "--kafka, --old and --new belong together: give all three, or none for the embedded demo.")
        }
        let name = arguments.value("name") ?? String(UInt32.random(in: 0 ... .max), radix: 36)
        guard !name.isEmpty, name.count <= 40,
            name.utf8.allSatisfy({ $0 == 45 || (48...57).contains($0) || (97...122).contains($0) })
        else { throw UsageError(message: "--name may have small letters, digits and hyphens, at most 40.") }
        return Addresses(kafka: given[0], old: given[1], new: given[2], name: name)
    }

    private static func options(_ arguments: ParsedArguments) throws -> DemoOptions {
        var options = DemoOptions()
        guard let seed = UInt64(arguments.value("seed") ?? "") else {
            throw UsageError(message: "--seed must be a number from 0 on.")
        }
        options.seed = seed
        options.duration = try number("duration", 1...3600, arguments)
        options.rate = try number("rate", 1...2000, arguments)
        options.keeps = arguments.has("keep")
        return options
    }

    private static func number(
        _ name: String, _ range: ClosedRange<Double>, _ arguments: ParsedArguments
    ) throws -> Double {
        guard let value = Double(arguments.value(name) ?? ""), range.contains(value) else {
            throw UsageError(
                message: "--\(name) must be a number from \(Int(range.lowerBound)) to \(Int(range.upperBound)).")
        }
        return value
    }
}
