import CLibrdkafka

/// How the process treats freed memory.
public enum ProcessMemory {
    /// Fetch responses and bulk bodies are megabytes: kept in the heap they are used again, instead of being mapped,
    /// cleared and unmapped by the kernel each time. For a program's start; concerns the whole process (mallopt(3)).
    public static func keepLargeBuffers() {
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, 64 << 20)
    }
}
