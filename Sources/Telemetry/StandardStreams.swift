import Glibc
import Synchronization

/// Standard output and standard error. They may be closed, a pipe without a reader, or a file on a full disk. The work
/// goes on without them.
package enum StandardStreams {
    private static let failed = Atomic<Int32>(0)
    private static let closed = Atomic<Bool>(false)

    /// To be called when the program starts. Without it the next socket would get the number of a closed descriptor and
    /// then receive the output. A pipe without a reader would end the process.
    package static func prepare() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // `open` gives the lowest free number, which is this one.
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
        signal(SIGPIPE, SIG_IGN)
    }

    /// Lines that stay at the end of standard error, which is a terminal, below all that is written.
    private static let footer = Mutex<[String]>([])

    /// Shows these lines below all that is written to standard error; none: takes them away. Lines that are wider than
    /// the terminal are cut.
    package static func showFooter(_ lines: [String]) {
        footer.withLock { shown in
            let erased = erasing(shown)
            let size = size(of: STDERR_FILENO)
            shown = lines.prefix(max(1, size.rows - 1)).map { line in
                String(VisibleText.line(line).prefix(max(1, size.columns - 1)))
            }
            put(erased + shown.joined(separator: "\n"), STDERR_FILENO)
        }
    }

    private static func erasing(_ shown: [String]) -> String {
        shown.isEmpty ? "" : "\r" + (shown.count > 1 ? "\u{1B}[\(shown.count - 1)A" : "") + "\u{1B}[J"
    }

    /// Writes the whole text, with as many writes as that needs. A reader that has gone away is no failure. Whatever a
    /// terminal would obey is escaped; only line feeds stay.
    package static func write(_ text: String, to descriptor: Int32) {
        send(VisibleText.lines(text), descriptor)
    }

    /// The same for a JSON text, whose values stay the same.
    package static func write(json text: String, to descriptor: Int32) { send(VisibleText.json(text), descriptor) }

    /// Writes what has colours and moves of the cursor of ours.
    package static func draw(_ drawing: TerminalDrawing, to descriptor: Int32) { send(drawing.text, descriptor) }

    private static func send(_ text: String, _ descriptor: Int32) {
        guard descriptor == STDERR_FILENO else { return put(text, descriptor) }
        footer.withLock { shown in put(erasing(shown) + text + shown.joined(separator: "\n"), descriptor) }
    }

    private static func put(_ text: String, _ descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let count = Glibc.write(descriptor, start, rest.count)
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN {
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&ready, 1, 1000)
                    continue
                }
                guard count > 0 else {
                    guard descriptor == STDOUT_FILENO else { return }
                    if errno == EPIPE {
                        closed.store(true, ordering: .relaxed)
                    } else {
                        failed.store(errno, ordering: .relaxed)
                    }
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    /// Whether nothing that is written to standard output arrives any more: its reader has gone, or a write failed.
    package static var isDeaf: Bool { closed.load(ordering: .relaxed) || failed.load(ordering: .relaxed) != 0 }

    /// Why a write to standard output failed, e.g. "No space left on device"; nil when none failed.
    package static var failure: String? {
        let code = failed.load(ordering: .relaxed)
        return code == 0 ? nil : String(cString: strerror(code))
    }

    /// The columns of the terminal behind a descriptor; 80 when it is not a terminal or does not say.
    package static func width(of descriptor: Int32) -> Int { size(of: descriptor).columns }

    /// The columns and rows of the terminal behind a descriptor; 80 and 24 when they are not known.
    package static func size(of descriptor: Int32) -> (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
