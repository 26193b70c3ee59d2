import CFuzzer
import Foundation

// crossfade-fuzz TARGET [libFuzzer's arguments]: see scripts/fuzz.

let names = FuzzTargets.all.map(\.name)
guard CommandLine.arguments.count > 1,
    let target = FuzzTargets.all.first(where: { $0.name == CommandLine.arguments[1] })
else {
    print(names.joined(separator: "\n"))
    exit(CommandLine.arguments.count > 1 ? 2 : 0)
}
let run = target.run

var arguments: [UnsafeMutablePointer<CChar>?] =
    ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)).map { strdup($0) }
var count = Int32(arguments.count)
arguments.append(nil)
let status = arguments.withUnsafeMutableBufferPointer { buffer -> Int32 in
    var pointer = buffer.baseAddress
    return LLVMFuzzerRunDriver(&count, &pointer) { data, size in
        run(UnsafeBufferPointer(start: data, count: size))
        return 0
    }
}
exit(status)
