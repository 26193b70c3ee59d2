/// The declaration of a command. Parsing, help, nearest-word errors, completions and the manual page are all made
/// from it.
struct CommandDeclaration: Sendable {
    /// The words that call the command: `["recipe", "check"]`.
    var path: [String]
    /// One line, without a full stop.
    var summary: String
    /// Paragraphs for `--help` and the manual page, separated by empty lines. They are wrapped to the width. Lines
    /// that begin with four spaces, such as commands to type, keep their form.
    var discussion = ""
    var positionals: [Positional] = []
    var options: [Option] = []
    /// A hidden command works, but help, completions, the manual page and errors do not mention it. For tests and for
    /// Crossfade itself.
    var hidden = false
    /// Runs the command.
    var run: @Sendable (ParsedArguments, Output) -> ExitCode

    var name: String { path.joined(separator: " ") }

    struct Positional: Sendable {
        var name: String
        /// The allowed values; empty: any.
        var choices: [String] = []
        var doc: String
        var required = true
    }

    struct Option: Sendable {
        /// The name without dashes.
        var name: String
        var short: Character?
        /// The name of the value in help; nil: the option is a flag.
        var value: String?
        /// The allowed values; empty: any.
        var choices: [String] = []
        /// Values that completions suggest. Other values are allowed too, and so are several separated by commas.
        var suggestions: [String] = []
        /// The value when the option is not given.
        var standard: String?
        var doc: String

        init(
            _ name: String, short: Character? = nil, value: String? = nil, choices: [String] = [],
            suggestions: [String] = [], standard: String? = nil, _ doc: String
        ) {
            (self.name, self.short, self.value, self.choices) = (name, short, value, choices)
            (self.suggestions, self.standard, self.doc) = (suggestions, standard, doc)
        }

        /// Whether the value is the path of a file. Such values are named FILE.
        var takesFile: Bool { value == "FILE" }
    }

    /// The command's own options, and those of every command with a recipe.
    var ownOptions: [Option] {
        options + (positionals.contains { $0.name == Self.recipe.name } ? [Self.environmentFile] : [])
    }

    /// All options, including those of every command.
    var allOptions: [Option] { ownOptions + Self.common }

    static let common = [
        Option(
            "format", value: "FORMAT", choices: Output.Format.allCases.map(\.rawValue), standard: "text",
            "How results are written to standard output."),
        Option(
            "log", value: "FORMAT", choices: ["text", "json"], standard: "text",
            "How log lines are written to standard error."),
        Option("verbose", short: "v", "Write more log lines."),
        Option("help", short: "h", "Print this help."),
    ]

    static let recipe = Positional(name: "RECIPE", doc: "The migration's YAML file; - reads it from standard input.")
    static let environmentFile = Option(
        "env-file", value: "FILE",
        "A file of KEY=VALUE lines for ${KEY} in the recipe; it goes before the environment. "
            + "May be given several times."
    )
    static let adopt = Option(
        "adopt",
        "Take target indices that are there already as they are: the application writes them, with the same versions "
            + "as the source.")

    static let confirm = Option(
        "confirm", value: "FINGERPRINT",
        "Go on although the recipe has changed since init: the fingerprint that `crossfade plan` prints.")
}

/// A parsed command line.
struct ParsedArguments: Sendable {
    var command: CommandDeclaration
    private var positionals: [String: String] = [:]
    private var values: [String: String] = [:]
    private var given: [String: [String]] = [:]
    private var flags: Set<String> = []

    init(_ command: CommandDeclaration) {
        self.command = command
        for option in command.allOptions { values[option.name] = option.standard }
    }

    /// The positional argument of this name; empty when it is optional and missing.
    subscript(_ positional: String) -> String { positionals[positional] ?? "" }

    /// The value of an option; nil when it is missing and has no default.
    func value(_ option: String) -> String? { values[option] }

    /// All values of an option that may be repeated, in their order.
    func all(_ option: String) -> [String] { given[option] ?? [] }

    /// All values of an option that names what is meant; nil: it is not given, so all is meant.
    func only(_ option: String) -> Set<String>? { given[option].map(Set.init) }

    func has(_ flag: String) -> Bool { flags.contains(flag) }

    var recipe: String { self["RECIPE"] }
    var format: Output.Format { value("format").flatMap(Output.Format.init) ?? .text }
    var isVerbose: Bool { has("verbose") }
    var logsJSON: Bool { value("log") == "json" }

    mutating func set(positional name: String, _ value: String) { positionals[name] = value }
    mutating func set(option name: String, _ value: String) {
        values[name] = value
        given[name, default: []].append(value)
    }
    mutating func set(flag name: String) { flags.insert(name) }
}

/// The error for a command line that cannot be parsed. The message says what to do.
struct UsageError: Error, Equatable, CustomStringConvertible {
    var message: String
    var description: String { message }
}

/// Parses PARTITION:OFFSET, such as 3:1200. `name`: of the argument, for the error's text.
func recordPosition(_ name: String, _ text: String) throws(UsageError) -> (partition: Int32, offset: Int64) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let partition = Int32(parts[0]), let offset = Int64(parts[1]), partition >= 0, offset >= 0
    else { throw UsageError(message: "\(name) is \"\(text)\"; it must be PARTITION:OFFSET, such as 3:1200.") }
    return (partition, offset)
}
