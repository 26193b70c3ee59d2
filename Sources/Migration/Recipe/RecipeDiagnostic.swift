/// One thing wrong with a recipe, with its place.
public struct RecipeDiagnostic: Sendable, Hashable, CustomStringConvertible {
    /// The recipe's path as it was given.
    public var file: String
    /// From 1.
    public var line: Int
    /// In characters, from 1.
    public var column: Int
    /// What is wrong. Never holds the value of a secret or of a substitution.
    public var message: String
    /// The nearest thing that would be right.
    public var suggestion: String?

    public init(file: String, line: Int, column: Int, message: String, suggestion: String? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.suggestion = suggestion
    }

    public var description: String {
        let meant = suggestion.map { "; did you mean \"\($0)\"?" } ?? ""
        return "\(file):\(line):\(column): error: \(message)\(meant)"
    }
}

/// All that is wrong with a recipe, in the order of the file; never empty.
public struct RecipeErrors: Error, Sendable, Equatable, CustomStringConvertible {
    public var diagnostics: [RecipeDiagnostic]

    public init(_ diagnostics: [RecipeDiagnostic]) {
        self.diagnostics = diagnostics.enumerated()
            .sorted {
                ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
            }
            .map(\.element)
    }

    public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

/// Collects what is wrong while a recipe is read.
final class RecipeProblems {
    let file: String
    private(set) var diagnostics: [RecipeDiagnostic] = []
    private var known: Set<RecipeDiagnostic> = []

    init(file: String) { self.file = file }

    func add(_ mark: SourceMark, _ message: String, suggestion: String? = nil) {
        let diagnostic = RecipeDiagnostic(
            file: file, line: mark.line, column: mark.column, message: message, suggestion: suggestion)
        // A node that aliases repeat is wrong once.
        if known.insert(diagnostic).inserted { diagnostics.append(diagnostic) }
    }
}
