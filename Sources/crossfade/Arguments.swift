/// A command as it is declared: parsing, help, nearest-word errors, completions and the manual page are made from this
/// alone.
struct CommandDeclaration: Sendable {
    /// The words that call it: `["recipe", "check"]`.
    var path: [String]
    /// One line, without a full stop.
    var summary: String
    /// Paragraphs for `--help` and the manual, separated by empty lines; they are wrapped anew. Lines that begin with four
    /// blanks, such as commands to type, stay as they are.
    var discussion = ""
    var positionals: [Positional] = []
    var options: [Option] = []
    /// For tests and for Crossfade itself: it works, but help, completions, the manual page and errors leave it out.
    var hidden = false
    /// What runs it.
    var run: @Sendable (ParsedArguments, Output) -> ExitCode

    var name: String { path.joined(separator: " ") }

    struct Positional: Sendable {
        var name: String
        /// The values it may have; empty: any.
        var choices: [String] = []
        var doc: String
        var required = true
    }

    struct Option: Sendable {
        /// Without dashes.
        var name: String
        var short: Character?
        /// The value's name in help; nil: a flag.
        var value: String?
        /// The values it may have; empty: any.
        var choices: [String] = []
        /// Values that completions offer where others are allowed too, and several with commas between them.
        var suggestions: [String] = []
        /// The value when it is not given.
        var standard: String?
        var doc: String

        init(
            _ name: String, short: Character? = nil, value: String? = nil, choices: [String] = [],
            suggestions: [String] = [], standard: String? = nil, _ doc: String
        ) {
            self.name = name
            self.short = short
            self.value = value
            self.choices = choices
            self.suggestions = suggestions
            self.standard = standard
            self.doc = doc
        }

        /// Whether the value is the path of a file: such values are called FILE.
        var takesFile: Bool { value == "FILE" }
    }

    /// Its own options and those of every command with a recipe.
    var ownOptions: [Option] {
        options + (positionals.contains { $0.name == Self.recipe.name } ? [Self.environmentFile] : [])
    }

    /// With those of every command.
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
        "A file of KEY=VALUE lines for ${KEY} in the recipe; it goes before the environment. May be given several times."
    )
    static let confirm = Option(
        "confirm", value: "FINGERPRINT",
        "Go on although the recipe has changed since init: the fingerprint that `crossfade plan` prints.")
}

/// A command line that was understood.
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

    /// The positional argument of that name; empty when it is optional and was not given.
    subscript(_ positional: String) -> String { positionals[positional] ?? "" }

    /// The value of an option; nil when it was not given and has no default.
    func value(_ option: String) -> String? { values[option] }

    /// Every value of an option that may be given several times, in their order.
    func all(_ option: String) -> [String] { given[option] ?? [] }

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

/// A command line that was not understood: one paragraph with what to do.
struct UsageError: Error, Equatable, CustomStringConvertible {
    var message: String
    var description: String { message }
}
