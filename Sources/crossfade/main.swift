import CommandLog
import Foundation

ProcessMemory.keepLargeBuffers()
exit(CommandLineInterface.run(Array(CommandLine.arguments.dropFirst())).rawValue)
