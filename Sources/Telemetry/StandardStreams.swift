import Glibc
import Synchronization

/// Standard output and standard error, whatever has become of them: closed, a pipe without a reader, a full disk. What
/// cannot be said is no reason to end the work.
public enum StandardStreams {
    private static let failed = Atomic<Int32>(0)

    /// For a program's start. A closed descriptor would be given to the next socket, and what is said would go there; a
    /// pipe without a reader would end the process.
    public static func prepare() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // The lowest that is free is this one.
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
        signal(SIGPIPE, SIG_IGN)
    }

    /// All of it, however many writes that takes. A reader that went away is not our failure.
    public static func write(_ text: String, to descriptor: Int32) {
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
                    if descriptor == STDOUT_FILENO, errno != EPIPE { failed.store(errno, ordering: .relaxed) }
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    /// Why data could not be written to standard output, e.g. "No space left on device"; nil when all could.
    public static var failure: String? {
        let code = failed.load(ordering: .relaxed)
        return code == 0 ? nil : String(cString: strerror(code))
    }

    /// Columns of the terminal that a descriptor is; 80 when it is none, or does not say.
    public static func width(of descriptor: Int32) -> Int { size(of: descriptor).columns }

    /// The same with its rows, 24 when they are not known.
    public static func size(of descriptor: Int32) -> (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
