import Glibc

/// A plain HTTP/1.1 client over one socket, for tests that must see what goes over the wire. Blocks; gives up after 20
/// s.
public final class SocketClient {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    public struct Answer {
        public var status = 0
        public var headers: [(name: String, value: String)] = []
        public var body: [UInt8] = []

        public func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    public let descriptor: Int32
    private var buffer: [UInt8] = []

    /// `receiveBuffer`: bytes that the kernel keeps for us; nil: as many as it likes.
    public init(port: Int, ipv6: Bool = false, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(ipv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard ipv6 ? connect6(port) == 0 : connect4(port) == 0 else {
            throw Failure(description: "no connection to port \(port): \(String(cString: strerror(errno)))")
        }
    }

    private func connect4(_ port: Int) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func connect6(_ port: Int) -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = UInt16(port).bigEndian
        address.sin6_addr = in6addr_loopback
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }

    deinit { close(descriptor) }

    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    public func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "not sent: \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a request without a body and reads the whole answer.
    public func get(_ target: String, method: String = "GET", host: String = "localhost") throws -> Answer {
        try send("\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
        return try answer(isHead: method == "HEAD")
    }

    public func post(_ target: String, _ body: [UInt8]) throws -> Answer {
        try send("POST \(target) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n\r\n")
        try send(body)
        return try answer()
    }

    public func answer(isHead: Bool = false) throws -> Answer {
        var answer = try head()
        if isHead { return answer }
        if let length = answer.header("Content-Length").flatMap(Int.init) {
            answer.body = try take(length)
        } else {
            while let chunk = try chunk() { answer.body += chunk }
        }
        return answer
    }

    /// Status and headers alone.
    public func head() throws -> Answer {
        var answer = Answer()
        let first = try line()
        answer.status = first.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        while case let line = try line(), !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
            answer.headers.append((String(parts[0]), String(value)))
        }
        return answer
    }

    /// The next chunk of a chunked body; nil after the last.
    public func chunk() throws -> [UInt8]? {
        let size = try line()
        guard let count = Int(size, radix: 16) else { throw Failure(description: "no chunk: \(size)") }
        let bytes = try take(count)
        _ = try line()
        return count == 0 ? nil : bytes
    }

    /// True when the server has closed the connection and nothing is left to be read.
    public func isClosed() throws -> Bool { try buffer.isEmpty && !fill() }

    private func line() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[..<end].filter { $0 != UInt8(ascii: "\r") }
                buffer.removeSubrange(...end)
                return String(decoding: line, as: UTF8.self)
            }
            guard try fill() else { throw Failure(description: "the connection ended within a line") }
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            guard try fill() else { throw Failure(description: "the connection ended within a body") }
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    /// False at the connection's end.
    private func fill() throws -> Bool {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &piece, piece.count, 0)
        // A connection that was cut is at its end, too.
        if count < 0, errno == ECONNRESET { return false }
        guard count >= 0 else { throw Failure(description: "not read: \(String(cString: strerror(errno)))") }
        buffer += piece.prefix(count)
        return count > 0
    }
}
