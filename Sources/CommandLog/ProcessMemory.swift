import CLibrdkafka
import Glibc

/// Settings for the memory of the whole process; see mallopt(3).
package enum ProcessMemory {
    /// Keeps large buffers in the heap when they are freed. Fetch responses and bulk bodies have megabytes; otherwise
    /// the kernel would map, clear and unmap them each time. To be called when the program starts.
    package static func keepLargeBuffers() { keep(buffers: 32 << 20, free: 64 << 20) }

    /// A crash leaves no core dump: it would hold passwords and documents. The limit is 1 byte and not 0, because the
    /// kernel hands a dump to a program that collects dumps whatever the limit is, except at 1; see core(5). Programs
    /// that we start inherit it. The process stays readable for its user (`/proc`, debuggers, perf).
    package static func keepOutOfCoreDumps() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(1, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    }

    /// Gives a buffer of more than `buffers` bytes back to the kernel as soon as it is freed, and free memory at the
    /// end of the heap that is more than `free` bytes. Otherwise very large buffers would leave holes that stay empty.
    package static func keep(buffers: Int, free: Int) {
        mallopt(M_MMAP_THRESHOLD, Int32(clamping: min(buffers, 32 << 20)))
        mallopt(M_TRIM_THRESHOLD, Int32(clamping: min(free, 64 << 20)))
    }
}
