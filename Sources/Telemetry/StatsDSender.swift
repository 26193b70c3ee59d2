import Glibc

/// Sends datagrams to a StatsD server. It never waits for the server. Datagrams are lost while there is no server.
///
/// Only one thread may use it.
package final class StatsDSender {
    private let host: String
    private let port: String
    private var descriptor: Int32 = -1

    package init(host: String, port: Int) {
        self.host = host
        self.port = String(port)
    }

    /// Sends these lines. False when they could not be sent: the name of the server is not known, or the network is
    /// down.
    @discardableResult package func send(_ lines: [String]) -> Bool {
        if descriptor < 0 { descriptor = connected() }
        guard descriptor >= 0 else { return false }
        var sent = true
        for datagram in StatsD.datagrams(lines) {
            var text = datagram
            let flags = Int32(truncatingIfNeeded: MSG_NOSIGNAL | MSG_DONTWAIT)
            let count = text.withUTF8 { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
            // ECONNREFUSED says that nobody listened to the last datagram. The server may come back.
            if count < 0, errno != ECONNREFUSED, errno != EAGAIN { sent = false }
        }
        // Then the name is looked up again, because the server may have moved.
        if !sent { close() }
        return sent
    }

    package func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    deinit { close() }

    private func connected() -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &found) == 0 else { return -1 }
        defer { freeaddrinfo(found) }
        var next = found
        while let address = next?.pointee {
            let socket = Glibc.socket(address.ai_family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            if socket >= 0 {
                if connect(socket, address.ai_addr, address.ai_addrlen) == 0 { return socket }
                Glibc.close(socket)
            }
            next = address.ai_next
        }
        return -1
    }
}
