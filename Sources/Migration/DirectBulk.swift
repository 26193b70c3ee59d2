import Commands
import Failures
import Foundation
import Indexing
import JSONText
import Pipeline
import Runtime
import SearchCluster
import State
import Telemetry

/// Sends some lines of bulk requests beside the pipeline: those of work that is no record of the log and no document of
/// the copy. Each line carries its version, so it may be sent again.
package struct DirectBulk {
    /// The final answer to a line.
    package enum Answer: Sendable {
        case done(ItemClass.Done)
        /// It can never be written.
        case dead(code: String, detail: String)
    }

    private static let attempts = 12

    private let target: Cluster
    private let doing: String
    private let logger: Logger
    package let destination: BulkSink.Destination

    /// It writes through an alias of the index, that of the log if nothing else is said. `doing`: for messages, as in
    /// `purging`.
    package init(target: Cluster, index: String, through alias: String? = nil, doing: String, logger: Logger) {
        (self.target, self.doing, self.logger) = (target, doing, logger)
        let name = alias ?? TargetAliases(index: index).log
        destination = BulkSink.Destination(index: index, name: name, path: target.writer.bulkPath(name))
    }

    /// Sends the lines, again where needed, until each has its final answer, and tells it with the line's place.
    /// Returns how many have none after some attempts, and why the last was not taken. Throws where the index takes no
    /// writes at all.
    package func send(
        _ lines: [[UInt8]], kind: OperationKind, _ told: (Int, Answer) -> Void
    ) throws -> (left: Int, why: String) {
        var left = Array(lines.indices)
        var why = ""
        var pauses = Backoff()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<Self.attempts {
            guard !left.isEmpty else { return (0, "") }
            do {
                (left, why) = try once(left, lines, kind, told)
                if left.isEmpty { return (0, "") }
            } catch let error as ClusterError where error.retriable {
                why = "\(error)"
                logger.debug("a bulk request is repeated", ["doing": doing, "because": error.message])
            }
            Thread.sleep(forTimeInterval: Double(pauses.next(using: &generator)) / 1000)
        }
        return (left.count, why)
    }

    /// Sends lines once. Returns those that must be sent again, and why the last of them.
    private func once(
        _ places: [Int], _ lines: [[UInt8]], _ kind: OperationKind, _ told: (Int, Answer) -> Void
    ) throws -> (again: [Int], why: String) {
        let body = ByteBuffer()
        for place in places { lines[place].withUnsafeBufferPointer { body.append($0) } }
        let transport = target.transport
        let answer = try transport.perform(target.writer.bulkRequest(destination.path, body: body))
        defer { transport.recycle(answer.body) }
        if let error = ClusterError(answer: answer, from: transport, doing: doing, index: destination.index) {
            guard let block = WriteRefusal.block(error) else { throw error }
            throw WriteRefusal.error(block, destination, detail: error.underlying ?? "")
        }
        var (again, why): ([Int], String) = ([], "")
        var answers: [(Int, Answer)] = []
        var failure: WorkError?
        let bytes = answer.body
        let sent = { (position: Int) -> BulkItem.Action in
            lines[places[position]].starts(with: "{\"delete\"".utf8) ? .delete : .index
        }
        try BulkResponse.scan(
            bytes.bytes, expected: places.count, sent: sent, redactor: transport.redactor
        ) { position, item in
            let reason = item.errorReason.map { transport.quote(bytes.slice($0)) }
            let verdict = ItemClass.classify(
                kind: kind, status: item.status,
                errorType: item.errorType.map { String(repairing: bytes.slice($0)) },
                reason: reason)
            switch verdict {
            case .done(let done): answers.append((places[position], .done(done)))
            case .again:
                again.append(places[position])
                why = reason ?? "status \(item.status)"
            case .stop(let block): failure = WriteRefusal.error(block, destination, detail: reason ?? "")
            case .dead(let code): answers.append((places[position], .dead(code: code, detail: reason ?? "")))
            }
        }
        for (place, answer) in answers { told(place, answer) }
        if let failure { throw failure }
        return (again, why)
    }
}
