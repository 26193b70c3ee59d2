import Basics

/// Decides which host names a server on the loopback address answers to.
///
/// Any web page can have a host name that points at 127.0.0.1 (DNS rebinding). The browser would then let that page
/// read our answers. Such requests carry the page's host name, and they are refused.
struct HostRule: Sendable {
    /// Whether the server can only be reached from this machine.
    let isLoopback: Bool

    /// `address`: where the server listens, `HOST:PORT`.
    init(listening address: String) { isLoopback = Loopback.holds(address) }

    /// `host`: the Host header of the request. Browsers always send it; a program that does not send it is allowed.
    func allows(_ host: String?) -> Bool {
        guard isLoopback, let host, !host.isEmpty else { return true }
        return Loopback.holds(host)
    }
}
