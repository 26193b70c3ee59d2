import Glibc

/// A TCP socket that listens on exactly one address.
struct ListeningSocket {
    let descriptor: Int32
    /// The port that the socket listens on, also when port 0 was asked for.
    let port: Int
    /// The host in the form that a URL needs: `127.0.0.1`, `[::1]`.
    let host: String

    /// `address`: `HOST:PORT` or `[IPv6]:PORT`. Port 0 takes any free port.
    init(_ address: String) throws(HTTPServerError) {
        let (host, port) = try Self.split(address)
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        // An empty host would mean all addresses. The server must not become reachable from outside by accident.
        hints.ai_flags = AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &found)
        defer { if let found { freeaddrinfo(found) } }
        guard code == 0, let found else {
            throw HTTPServerError(.address, "\(address): no such host: \(String(cString: gai_strerror(code)))")
        }
        let descriptor = socket(found.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.error(.system, address, "no socket") }
        do throws(HTTPServerError) {
            self.port = try Self.listen(descriptor, found.pointee, address)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.host = host.contains(":") ? "[\(host)]" : host
    }

    /// Host and port of an address; the host without its brackets.
    static func split(_ address: String) throws(HTTPServerError) -> (host: String, port: UInt16) {
        guard let colon = address.lastIndex(of: ":"),
            let port = UInt16(address[address.index(after: colon)...])
        else {
            throw HTTPServerError(.address, "\(address): an address is HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464")
        }
        var host = address[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw HTTPServerError(.address, "\(address): an IPv6 address stands in brackets, e.g. [::1]:9464")
        }
        guard !host.isEmpty else {
            throw HTTPServerError(.address, "\(address): the host is missing, e.g. 127.0.0.1:\(port)")
        }
        return (String(host), port)
    }

    /// Binds the socket, listens, and returns the port.
    private static func listen(
        _ descriptor: Int32, _ info: addrinfo, _ address: String
    ) throws(HTTPServerError) -> Int {
        var yes: Int32 = 1
        // Connections of an earlier process may still hold the port in TIME_WAIT. It can be used all the same.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        if info.ai_family == AF_INET6 {
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0 else {
            if errno == EADDRINUSE { throw error(.addressInUse, address, "taken by another process") }
            throw error(.address, address, "cannot be listened on")
        }
        guard Glibc.listen(descriptor, SOMAXCONN) == 0 else {
            if errno == EADDRINUSE { throw error(.addressInUse, address, "taken by another process") }
            throw error(.system, address, "cannot be listened on")
        }
        var bound = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let failed = withUnsafeMutablePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard failed == 0 else { throw error(.system, address, "does not tell its port") }
        // `sin_port` and `sin6_port` have the same position in both structures.
        return withUnsafeBytes(of: &bound) { Int($0[2]) << 8 | Int($0[3]) }
    }

    private static func error(_ code: HTTPServerError.Code, _ address: String, _ what: String) -> HTTPServerError {
        HTTPServerError(code, "\(address): \(what): \(String(cString: strerror(errno)))")
    }
}
