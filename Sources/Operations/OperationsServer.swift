import Dispatch
import Foundation
import HTTPServer
import Migration
import Recipe
import Runtime
import Synchronization
import Telemetry

/// Serves the dashboard, status, events, health and metrics of running work.
package final class OperationsServer: Sendable {
    private let router: OperationsRouter
    private let server: HTTPServer
    private let stopping = DispatchSemaphore(value: 0)
    private let ticker: DispatchSemaphore
    private let isStopped = Mutex(false)

    /// The address, e.g. `http://127.0.0.1:9464`.
    package var url: String { server.url }
    package var port: Int { server.port }

    /// Starts the server that the recipe describes; nil when the recipe turns it off. When the recipe's port is
    /// taken, the server uses any free port and logs a warning. `isBeside`: the work runs beside other work, which has
    /// the port most often.
    package static func start(
        _ operations: Recipe.Operations, source: any LiveStatusSource, isBeside: Bool = false, logger: Logger
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
            if isBeside {
                logger.info(
                    "operations are served on another port: another command has the recipe's",
                    ["url": server.url, "taken": address])
            } else {
                logger.warning(
                    "operations are served on another port, the recipe's is taken",
                    ["url": server.url, "taken": address])
            }
            return server
        }
    }

    /// `listen`: `HOST:PORT`. Port 0 takes any free port.
    package init(listen: String, source: any LiveStatusSource) throws(HTTPServerError) {
        let router = OperationsRouter(source, page: Dashboard.page, clock: Self.milliseconds)
        let hosts = HostRule(listening: listen)
        server = try HTTPServer(address: listen, threads: 2, maximumBody: 0) { router.answer($0, hosts) }
        self.router = router
        let ended = DispatchSemaphore(value: 0)
        ticker = ended
        let stopping = stopping
        let thread = Thread {
            var due = DispatchTime.now()
            repeat {
                router.tick(wall: WallClock.now())
                // After the process was suspended (SIGSTOP), the missed seconds are skipped.
                due = max(due + 1, DispatchTime.now())
            } while stopping.wait(timeout: due) == .timedOut
            ended.signal()
        }
        thread.name = "cf-operations"
        thread.start()
    }

    deinit { stop() }

    /// Sends the last status to open streams and stops the server. Does not wait for clients that do not read.
    package func stop() {
        guard
            isStopped.withLock({ isStopped in
                defer { isStopped = true }
                return !isStopped
            })
        else { return }
        stopping.signal()
        ticker.wait()
        router.end()
        server.stop()
    }

    @Sendable private static func milliseconds() -> Int64 {
        Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000)
    }
}
