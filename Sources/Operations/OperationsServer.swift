import Dispatch
import Foundation
import HTTPServer
import Migration
import Recipe
import Runtime
import Synchronization
import Telemetry

/// Serves what can be seen of running work: dashboard, status, events, health and metrics.
package final class OperationsServer: Sendable {
    private let desk: OperationsDesk
    private let server: HTTPServer
    private let stopping = DispatchSemaphore(value: 0)
    private let ticker: DispatchSemaphore
    private let isStopped = Mutex(false)

    /// Where it is, e.g. `http://127.0.0.1:9464`.
    package var url: String { server.url }
    package var port: Int { server.port }

    /// What the recipe says: nil when it is off. A port that is taken is a warning, and any other that is free serves.
    package static func start(
        _ operations: Recipe.Operations, source: any LiveStatusSource, logger: Logger
    ) throws(HTTPServerError) -> OperationsServer? {
        guard let address = operations.listen else { return nil }
        do throws(HTTPServerError) {
            let server = try OperationsServer(listen: address, source: source)
            logger.info("operations are served", ["url": server.url])
            return server
        } catch {
            guard error.code == .addressInUse, let colon = address.lastIndex(of: ":") else {
                throw HTTPServerError(
                    error.code, "operations.listen \(error.message); name another address, or `off`")
            }
            let server = try OperationsServer(listen: address[..<colon] + ":0", source: source)
            logger.warning(
                "operations are served on another port, the recipe's is taken",
                ["url": server.url, "taken": address])
            return server
        }
    }

    /// `listen`: `HOST:PORT`, port 0 being any free one.
    package init(listen: String, source: any LiveStatusSource) throws(HTTPServerError) {
        let desk = OperationsDesk(source, page: Dashboard.page, clock: Self.milliseconds)
        let hosts = HostRule(listening: listen)
        server = try HTTPServer(address: listen, threads: 2, maximumBody: 0) { desk.answer($0, hosts) }
        self.desk = desk
        let ended = DispatchSemaphore(value: 0)
        ticker = ended
        let stopping = stopping
        let thread = Thread {
            var due = DispatchTime.now()
            repeat {
                desk.tick(wall: WallClock.now())
                // A process that was stopped does not make up for the seconds that it missed.
                due = max(due + 1, DispatchTime.now())
            } while stopping.wait(timeout: due) == .timedOut
            ended.signal()
        }
        thread.name = "cf-operations"
        thread.start()
    }

    deinit { stop() }

    /// Says the last word to those who look on, and ends. Does not wait for who does not read.
    package func stop() {
        guard
            isStopped.withLock({ isStopped in
                defer { isStopped = true }
                return !isStopped
            })
        else { return }
        stopping.signal()
        ticker.wait()
        desk.end()
        server.stop()
    }

    @Sendable private static func milliseconds() -> Int64 {
        Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000)
    }
}
