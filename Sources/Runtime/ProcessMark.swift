import Glibc

/// A process as it can be told from every other one, on this machine and on others: a process id is given to another
/// process some time later, and containers have the same ids and often the same host name.
package struct ProcessMark: Sendable, Equatable {
    package enum Fate: Sendable { case runs, isGone, unknown }

    /// One boot of one kernel, and one space of process ids in it. Empty: it could not be found out.
    package var machine: String
    package var pid: Int
    /// When it began, in ticks since the boot. Empty: it could not be found out.
    package var began: String

    package init(machine: String, pid: Int, began: String) {
        (self.machine, self.pid, self.began) = (machine, pid, began)
    }

    /// This process.
    package static let own: ProcessMark = {
        let pid = Int(getpid())
        let boot = text("/proc/sys/kernel/random/boot_id").filter { !$0.isWhitespace }
        var link = [CChar](repeating: 0, count: 128)
        let length = readlink("/proc/self/ns/pid", &link, link.count)
        let space = String(decoding: link.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let isKnown = !boot.isEmpty && !space.isEmpty
        return ProcessMark(machine: isKnown ? "\(boot)/\(space)" : "", pid: pid, began: stat(pid)?.began ?? "")
    }()

    /// What became of it, as far as this machine can tell. A process that stands still (SIGSTOP) is unknown: nobody
    /// knows whether it will go on.
    package var fate: Fate {
        guard !machine.isEmpty, machine == Self.own.machine, !began.isEmpty else { return .unknown }
        guard let found = Self.stat(pid) else { return kill(pid_t(clamping: pid), 0) == 0 ? .unknown : .isGone }
        guard found.began == began, found.state != "Z", found.state != "X" else { return .isGone }
        return found.state == "T" || found.state == "t" ? .unknown : .runs
    }

    private static func stat(_ pid: Int) -> (state: String, began: String)? {
        // The name of the program stands in brackets and can hold anything.
        let whole = text("/proc/\(pid)/stat")
        guard let end = whole.lastIndex(of: ")") else { return nil }
        let fields = whole[whole.index(after: end)...].split(separator: " ")
        guard fields.count > 19 else { return nil }
        return (String(fields[0]), String(fields[19]))
    }

    private static func text(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
