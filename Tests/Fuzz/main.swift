import CFuzzer
import Foundation

// crossfade-fuzz TARGET [libFuzzer's arguments]: see scripts/fuzz.

// When libFuzzer merges, it starts this program again without the target.
let variable = "CROSSFADE_FUZZ_TARGET"
let inherited = ProcessInfo.processInfo.environment[variable]
let name = inherited ?? CommandLine.arguments.dropFirst().first
guard let target = FuzzTargets.all.first(where: { $0.name == name }) else {
    print(FuzzTargets.all.map(\.name).joined(separator: "\n"))
    exit(name == nil ? 0 : 2)
}
setenv(variable, target.name, 1)
let run = target.run

/// CPU seconds that this thread has used. A busy machine makes an input slower on the clock, not here.
func spent() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

var arguments: [UnsafeMutablePointer<CChar>?] =
    ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(inherited == nil ? 2 : 1)).map { strdup($0) }
var count = Int32(arguments.count)
arguments.append(nil)
let status = arguments.withUnsafeMutableBufferPointer { buffer -> Int32 in
    var pointer = buffer.baseAddress
    return LLVMFuzzerRunDriver(&count, &pointer) { data, size in
        let start = spent()
        run(UnsafeBufferPointer(start: data, count: size))
        let used = spent() - start
        FuzzTargets.promise(used < 1, "an input of \(size) bytes took \(used) s of CPU")
        return 0
    }
}
exit(status)
