import CommandLog
import Foundation
import Migration
import Runtime

/// `crossfade embedded-log`: serves librdkafka's mock broker from its own process, for tests.
enum EmbeddedLogCommand {
    static let declaration = CommandDeclaration(
        path: ["embedded-log"],
        summary: "Serve a command log from memory until a signal",
        discussion: """
            Prints its bootstrap address once it serves. It keeps the last 5 MiB of a partition, and creates a topic
            (with 4 partitions) when a client asks about it. It does not support creating topics by request,
            configurations, offsets by time, or transaction markers. Each line NAME:PARTITIONS of its standard input
            creates one more topic; it then prints the topic's name.
            """,
        options: [
            .init("topic", value: "NAME:PARTITIONS", "Make this topic first; may be given several times."),
            .init("brokers", value: "N", standard: "1", "Brokers that the log consists of."),
        ],
        hidden: true,
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        do throws(UsageError) {
            let topics = try topics(arguments.all("topic"))
            guard let brokers = Int(arguments.value("brokers") ?? ""), (1...16).contains(brokers) else {
                throw UsageError(message: "--brokers must be a number from 1 to 16.")
            }
            return serve(topics, brokers: brokers, output)
        } catch {
            output.failure(error.message, code: "usage")
            return .usage
        }
    }

    private static func serve(_ topics: [(name: String, partitions: Int)], brokers: Int, _ output: Output) -> ExitCode {
        StopSignal.listen()
        do {
            let log = try MockLog(brokers: brokers)
            defer { log.close() }
            for topic in topics { try log.createTopic(topic.name, partitions: topic.partitions) }
            output.data(["bootstrap": .string(log.bootstrap)], text: log.bootstrap)
            // `readLine` blocks. On its own thread it does not keep a signal from ending the process.
            Thread.detachNewThread { makeTopics(log, output) }
            while !StopSignal.isAsked { Thread.sleep(forTimeInterval: 0.05) }
            return .done
        } catch {
            output.failure("\(error).", code: "failed")
            return .failed
        }
    }

    /// Creates the topics that standard input names, until the input ends.
    @Sendable private static func makeTopics(_ log: MockLog, _ output: Output) {
        while let line = readLine() {
            do {
                for topic in try topics([line]) {
                    try log.createTopic(topic.name, partitions: topic.partitions)
                    output.line(topic.name)
                }
            } catch {
                output.line("error: \(error)")
            }
        }
    }

    private static func topics(_ words: [String]) throws(UsageError) -> [(name: String, partitions: Int)] {
        var topics: [(name: String, partitions: Int)] = []
        for word in words {
            let parts = word.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let count = Int(parts[1]), (1...1024).contains(count) else {
                throw UsageError(
                    message: "--topic is \"\(word)\"; it must be NAME:PARTITIONS, such as commands:6, with 1 to 1024.")
            }
            topics.append((String(parts[0]), count))
        }
        return topics
    }
}
