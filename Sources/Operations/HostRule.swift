/// Which names a server on the loopback address answers to.
///
/// A page of anywhere may have a name that it points at 127.0.0.1 (DNS rebinding): the browser of whoever looks at it would
/// then read our answers as that page's own. Its requests carry that name.
struct HostRule: Sendable {
    /// Whether the server can be reached from this machine alone.
    let isLoopback: Bool

    /// `address`: where the server listens, `HOST:PORT`.
    init(listening address: String) { isLoopback = Self.isLocal(Self.name(address[...])) }

    /// `host`: the request's header; programs that send none are no browsers.
    func allows(_ host: String?) -> Bool {
        guard isLoopback, let host, !host.isEmpty else { return true }
        return Self.isLocal(Self.name(host[...]))
    }

    /// Without the port.
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
