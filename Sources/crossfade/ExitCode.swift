/// How the process ends; scripts rely on these numbers.
enum ExitCode: Int32 {
    case done = 0
    case failed = 1
    /// The command line or the recipe is wrong.
    case usage = 2
    /// A rail or gate refused.
    case refused = 3
    /// Source and target differ.
    case differs = 4
    /// A signal ended it; everything acknowledged is kept.
    case interrupted = 130
}
