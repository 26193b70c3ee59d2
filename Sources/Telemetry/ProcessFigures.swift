import Glibc

/// Figures of this process from the kernel, under the names that Prometheus' own clients use.
/// Source: proc(5), https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
package enum ProcessFigures {
    /// The bytes of this process in memory; 0 when the kernel does not say.
    package static var residentBytes: Int { memory.resident }

    private static var memory: (virtual: Int, resident: Int) {
        let pages = read("/proc/self/statm").split(separator: " ").prefix(2).compactMap { Int($0) }
        guard pages.count == 2 else { return (0, 0) }
        let size = sysconf(Int32(_SC_PAGESIZE))
        return (pages[0] * size, pages[1] * size)
    }

    package static var families: [MetricFamily] {
        func one(
            _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: MetricFamily.Value?
        ) -> MetricFamily {
            var family = MetricFamily(name, kind, help)
            if let value { family.add(value) }
            return family
        }
        let memory = memory
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        var limit = rlimit()
        let hasLimit = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return [
            one("process_cpu_seconds_total", .counter, "User and system time, in seconds.", .real(cpu)),
            one("process_resident_memory_bytes", .gauge, "Bytes in memory.", .whole(Int64(memory.resident))),
            one("process_virtual_memory_bytes", .gauge, "Bytes of address space.", .whole(Int64(memory.virtual))),
            one("process_open_fds", .gauge, "Open file descriptors.", openDescriptors.map { .whole($0) }),
            one(
                "process_max_fds", .gauge, "File descriptors that may be open.",
                hasLimit ? .real(limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)) : nil),
            one(
                "process_start_time_seconds", .gauge, "When the process started, seconds since 1970.",
                startTime.map { .real($0) }),
        ]
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    private static var openDescriptors: Int64? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count: Int64 = 0
        while readdir(folder) != nil { count += 1 }
        // Without `.`, `..` and the descriptor of the folder itself.
        return max(0, count - 3)
    }

    /// The time at which the process started, in seconds since 1970: the kernel's start, and its clock ticks from
    /// there.
    private static var startTime: Double? {
        // The second field is the command in brackets, which may hold blanks and brackets.
        guard let rest = read("/proc/self/stat").split(separator: ")").last else { return nil }
        let fields = rest.split(separator: " ")
        let boot = read("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        guard fields.count > 19, let ticks = Double(fields[19]), let began = boot.flatMap({ Double($0.dropFirst(6)) })
        else { return nil }
        return began + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The text of a small file of the kernel; empty when it cannot be read.
    private static func read(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &part, part.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += part[..<count]
        }
    }
}
