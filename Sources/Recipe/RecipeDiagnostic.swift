/// One thing wrong with a recipe, with its place.
package struct RecipeDiagnostic: Sendable, Hashable, CustomStringConvertible {
    /// The recipe's path as it was given.
    package var file: String
    /// From 1.
    package var line: Int
    /// In characters, from 1.
    package var column: Int
    /// What is wrong. Never holds the value of a secret or of a substitution.
    package var message: String
    /// The nearest thing that would be right.
    package var suggestion: String?

    package init(file: String, line: Int, column: Int, message: String, suggestion: String? = nil) {
        (self.file, self.line, self.column, self.message, self.suggestion) = (file, line, column, message, suggestion)
    }

    package var description: String {
        let meant = suggestion.map { "; did you mean \"\($0)\"?" } ?? ""
        return "\(file):\(line):\(column): error: \(message)\(meant)"
    }
}

/// All that is wrong with a recipe, in the order of the file; never empty.
package struct RecipeErrors: Error, Sendable, Equatable, CustomStringConvertible {
    package var diagnostics: [RecipeDiagnostic]

    package init(_ diagnostics: [RecipeDiagnostic]) {
        self.diagnostics = diagnostics.enumerated()
            .sorted {
                ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
            }
            .map(\.element)
    }

    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

/// Collects what is wrong while a recipe is read.
package final class RecipeProblems {
    package let file: String
    package private(set) var diagnostics: [RecipeDiagnostic] = []
    private var known: Set<RecipeDiagnostic> = []

    package init(file: String) { self.file = file }

    package func add(_ mark: SourceMark, _ message: String, suggestion: String? = nil) {
        let diagnostic = RecipeDiagnostic(
            file: file, line: mark.line, column: mark.column, message: message, suggestion: suggestion)
        // A node that aliases repeat is wrong once.
        if known.insert(diagnostic).inserted { diagnostics.append(diagnostic) }
    }
}
