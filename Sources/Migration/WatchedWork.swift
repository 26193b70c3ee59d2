import Planning
import Telemetry

/// Work that runs long and can be watched while it runs: `copy`, `replay` and `follow`.
package protocol WatchedWork {
    /// What the work tells of itself; made for this work.
    var live: LiveWork { get }
    /// The fingerprint that the user has confirmed with this command; nil: none.
    var confirmation: String? { get }
}

extension WatchedWork {
    var prepared: Preflight { live.prepared }
    var logger: Logger { live.events.logger }
}
