import Embedded
import Foundation
import Migration
import Runtime

/// `crossfade embedded-node`: serves a search node in memory from its own process, for tests.
enum EmbeddedNodeCommand {
    static let declaration = CommandDeclaration(
        path: ["embedded-node"],
        summary: "Serve an embedded search node until a signal",
        discussion: """
            Prints its URL once it serves. What it holds is in memory and gone when it ends. What it speaks is in
            docs/embedded.md.
            """,
        options: [
            .init("persona", value: "VERSION", "The server that it poses as: es-1.7 to es-9.0, os-1 to os-3."),
            .init(
                "listen", value: "ADDRESS:PORT", standard: "127.0.0.1:0", "Where it listens; port 0 is any free one."),
            .init("memory", value: "MIB", standard: "1024", "Documents that it holds at most."),
            .init("threads", value: "N", standard: "4", "Threads that answer requests."),
        ],
        hidden: true,
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        do throws(UsageError) {
            let name = arguments.value("persona") ?? ""
            guard let persona = ServerPersona(named: name) else {
                throw UsageError(
                    message: "--persona is \"\(name)\", which is no version that Crossfade supports; the nearest are "
                        + "\(ServerPersona.nearest(to: name).joined(separator: " and ")).")
            }
            let memory = try number(arguments, "memory", 1...1 << 20)
            let threads = try number(arguments, "threads", 1...256)
            let node = SearchNode(persona, limits: NodeLimits(documentBytes: memory << 20))
            return serve(node, arguments.value("listen") ?? "127.0.0.1:0", threads, output)
        } catch {
            output.failure(error.message, code: "usage")
            return .usage
        }
    }

    private static func number(
        _ arguments: ParsedArguments, _ name: String, _ range: ClosedRange<Int>
    ) throws(UsageError) -> Int {
        guard let number = Int(arguments.value(name) ?? ""), range.contains(number) else {
            throw UsageError(message: "--\(name) must be a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    private static func serve(_ node: SearchNode, _ address: String, _ threads: Int, _ output: Output) -> ExitCode {
        StopSignal.listen()
        do {
            let server = try EmbeddedSearchServer(node, address: address, threads: threads)
            defer { server.stop() }
            output.data(["url": .string(server.url)], text: server.url)
            while !StopSignal.isAsked { Thread.sleep(forTimeInterval: 0.05) }
            return .done
        } catch {
            output.failure("\(error).", code: "failed")
            return .failed
        }
    }
}
