import Glibc

/// Lines of the StatsD protocol, and datagrams made of them.
/// Source: https://github.com/statsd/statsd/blob/master/docs/metric_types.md
public enum StatsD {
    /// Bytes of a datagram that passes a common network in one piece.
    public static let mostBytes = 1432

    /// `count` more than was told before.
    public static func counter(_ name: String, _ count: Int) -> String { "\(name):\(count)|c" }

    /// A negative number would be taken as a change.
    public static func gauge(_ name: String, _ value: Int) -> String { "\(name):\(max(0, value))|g" }

    public static func timer(_ name: String, milliseconds: Int) -> String { "\(name):\(max(0, milliseconds))|ms" }

    /// A name with tags as the script of the incidents' migration wrote them: `name,index=a,type=b`. What would end a name
    /// or a tag becomes `_`.
    public static func name(_ name: String, _ tags: [(String, String)]) -> String {
        func plain(_ text: String) -> String {
            String(text.map { ":|@,=#".contains($0) || $0.isWhitespace ? "_" : $0 })
        }
        return ([plain(name)] + tags.map { "\(plain($0.0))=\(plain($0.1))" }).joined(separator: ",")
    }

    /// As many lines a datagram as fit; a line that is longer alone is left out.
    public static func datagrams(_ lines: [String], most: Int = mostBytes) -> [String] {
        var packed: [String] = []
        var present = ""
        for line in lines where line.utf8.count <= most {
            if !present.isEmpty, present.utf8.count + 1 + line.utf8.count > most {
                packed.append(present)
                present = ""
            }
            present += present.isEmpty ? line : "\n" + line
        }
        return present.isEmpty ? packed : packed + [present]
    }
}

/// Sends datagrams to a StatsD server. Nothing waits for it and nothing fails when it is away: what it does not hear is
/// lost.
///
/// One thread uses it.
public final class StatsDSender {
    private let host: String
    private let port: String
    private var descriptor: Int32 = -1

    public init(host: String, port: Int) {
        self.host = host
        self.port = String(port)
    }

    /// False when nothing could be sent: the name is not known now, or the network is away.
    @discardableResult public func send(_ lines: [String]) -> Bool {
        if descriptor < 0 { descriptor = connected() }
        guard descriptor >= 0 else { return false }
        var sent = true
        for datagram in StatsD.datagrams(lines) {
            var text = datagram
            let flags = Int32(truncatingIfNeeded: MSG_NOSIGNAL | MSG_DONTWAIT)
            let count = text.withUTF8 { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
            // That nobody listens is told by the second datagram; the server may come back.
            if count < 0, errno != ECONNREFUSED, errno != EAGAIN { sent = false }
        }
        // The name is asked again: the server may have moved.
        if !sent { close() }
        return sent
    }

    public func close() {
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
