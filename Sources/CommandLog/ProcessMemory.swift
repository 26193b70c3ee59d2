import CLibrdkafka

/// How the process treats freed memory.
public enum ProcessMemory {
    /// Fetch responses and bulk bodies are megabytes: kept in the heap they are used again, instead of being mapped,
    /// cleared and unmapped by the kernel each time. For a program's start; concerns the whole process (mallopt(3)).
    public static func keepLargeBuffers() { keep(buffers: 32 << 20, free: 64 << 20) }

    /// Buffers of more than `buffers` bytes go back to the kernel as soon as they are freed, as does what is free at the
    /// heap's end beyond `free` bytes: giants that came and went would leave holes that nothing else fills.
    public static func keep(buffers: Int, free: Int) {
        mallopt(M_MMAP_THRESHOLD, Int32(clamping: min(buffers, 32 << 20)))
        mallopt(M_TRIM_THRESHOLD, Int32(clamping: min(free, 64 << 20)))
    }
}
