/// The names of this machine, under which nobody else can reach it.
package enum Loopback {
    /// Whether `HOST` or `HOST:PORT` names this machine: `localhost`, `127.x.y.z` or `[::1]`. A name that only looks
    /// like one, such as `127.0.0.1.example`, does not.
    package static func holds(_ address: String) -> Bool { isLocal(name(address[...])) }

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
