import Foundation
import SearchCluster
import Synchronization

/// The application's readers: they search under one name, every 10 ms, at the address that a file says. Moving them
/// means to change that file.
final class DemoReaders: Sendable {
    struct Figures {
        var old = 0
        var new = 0
        /// Searches that failed or found nothing, in words.
        var wrong: [String] = []
        /// The address of the last search.
        var address = ""
        fileprivate var isAsked = false
    }

    private let figures: Mutex<Figures>
    private let ended = DispatchSemaphore(value: 0)
    private let file: URL
    private let sides: [(url: String, cluster: Cluster, isNew: Bool)]
    private let name: String

    /// - Parameter file: holds the URL of the cluster that is searched.
    init(_ servers: DemoServers, file: URL) throws {
        (self.file, name) = (file, servers.names.old)
        sides = [(servers.oldURL, servers.old, false), (servers.newURL, servers.new, true)]
        figures = Mutex(Figures())
        try Data(servers.oldURL.utf8).write(to: file)
        let thread = Thread { [self] in
            while !figures.withLock({ $0.isAsked }) {
                search()
                Thread.sleep(forTimeInterval: 0.01)
            }
            ended.signal()
        }
        thread.name = "demo-readers"
        thread.start()
    }

    var present: Figures { figures.withLock { $0 } }

    /// Ends them. Returns what they saw.
    func stop() -> Figures {
        figures.withLock { $0.isAsked = true }
        _ = ended.wait(timeout: .now() + 30)
        return present
    }

    private var address: String {
        ((try? String(contentsOf: file, encoding: .utf8)) ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func search() {
        let address = address
        guard let side = sides.first(where: { $0.url == address }) else { return }
        do {
            let found = try side.cluster.reader.count(name)
            figures.withLock {
                if side.isNew { $0.new += 1 } else { $0.old += 1 }
                if found == 0 { $0.wrong.append("\(name) at \(address) was empty") }
                $0.address = address
            }
        } catch {
            // It had read the file just before they were moved, as any application may have.
            guard self.address == address else { return search() }
            figures.withLock { $0.wrong.append("\(error)") }
        }
    }
}
