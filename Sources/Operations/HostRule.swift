/// Decides which host names a server on the loopback address answers to.
///
/// Any web page can have a host name that points at 127.0.0.1 (DNS rebinding). The browser would then let that page
/// read our answers. Such requests carry the page's host name, and they are refused.
struct HostRule: Sendable {
    /// Whether the server can only be reached from this machine.
    let isLoopback: Bool

    /// `address`: where the server listens, `HOST:PORT`.
    init(listening address: String) { isLoopback = Self.isLocal(Self.name(address[...])) }

    /// `host`: the Host header of the request. Browsers always send it; a program that does not send it is allowed.
    func allows(_ host: String?) -> Bool {
        guard isLoopback, let host, !host.isEmpty else { return true }
        return Self.isLocal(Self.name(host[...]))
    }

    /// The name without the port.
    private static func name(_ host: Substring) -> Substring {
        if host.first == "[", let end = host.firstIndex(of: "]") {
            let rest = host[host.index(after: end)...]
            return rest.isEmpty || rest.first == ":" ? host[...end] : host
        }
        return host.firstIndex(of: ":").map { host[..<$0] } ?? host
    }

    private static func isLocal(_ name: Substring) -> Bool {
        if name == "[::1]" || name.lowercased() == "localhost" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
