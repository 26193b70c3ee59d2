import CommandLog
import Foundation
import Telemetry

StandardStreams.prepare()
ProcessMemory.keepOutOfCoreDumps()
ProcessMemory.keepLargeBuffers()
let code = CommandLineInterface.run(Array(CommandLine.arguments.dropFirst()))
if code == .done, let reason = StandardStreams.failure {
    Output(format: .text).talk("crossfade: the output could not be written: \(reason). The work itself is done.")
    exit(ExitCode.failed.rawValue)
}
exit(code.rawValue)
