import CLibrdkafka

/// Settings for the memory of the whole process; see mallopt(3).
package enum ProcessMemory {
    /// Keeps large buffers in the heap when they are freed. Fetch responses and bulk bodies have megabytes; otherwise
    /// the kernel would map, clear and unmap them each time. To be called when the program starts.
    package static func keepLargeBuffers() { keep(buffers: 32 << 20, free: 64 << 20) }

    /// Gives a buffer of more than `buffers` bytes back to the kernel as soon as it is freed, and free memory at the
    /// end of the heap that is more than `free` bytes. Otherwise very large buffers would leave holes that stay empty.
    package static func keep(buffers: Int, free: Int) {
        mallopt(M_MMAP_THRESHOLD, Int32(clamping: min(buffers, 32 << 20)))
        mallopt(M_TRIM_THRESHOLD, Int32(clamping: min(free, 64 << 20)))
    }
}
