/// How the process ends; scripts rely on these numbers.
enum ExitCode: Int32, CaseIterable {
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

    /// For help and manual: when a command ends so.
    var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "it failed; what went wrong and what to do is on standard error"
        case .usage: "the command line or the recipe is wrong; nothing was begun"
        case .refused: "a safety check refused, because something would be lost or overwritten"
        case .differs: "source and target differ"
        case .interrupted: "a signal ended it; everything that was acknowledged is kept, and a restart goes on"
        }
    }
}
