/// A file of variables for `${NAME}` in a recipe, one `KEY=VALUE` a line; blank lines and lines that begin with `#`
/// mean nothing. A value in single quotes is taken as it is, in double quotes with the escapes `\n`, `\r`, `\t`, `\"`,
/// `\\` and `\$`; either may have several lines. Any other value ends at ` #` or at the line's end, without the blanks
/// around it. `export` in front is allowed. Nothing is expanded inside a value.
///
/// The variables are for the recipe alone: they are not put into the environment of the process, where others could
/// read them. No error repeats what the file holds, because a line that is not understood may be a part of a secret.
package struct EnvironmentFile {
    /// Bytes of the file.
    package static let maxBytes = 1 << 20

    private let text: [Unicode.Scalar]
    private let problems: RecipeProblems
    private var at = 0
    private var mark = SourceMark(line: 1, column: 1)
    private var variables: [String: String] = [:]
    /// Where each variable was given first.
    private var lines: [String: Int] = [:]

    /// The variables of the file at `path`, or everything that is wrong with it.
    package static func read(_ path: String) throws(RecipeErrors) -> [String: String] {
        do {
            return try parse(try RecipeFiles.read(path, limit: maxBytes), path: path)
        } catch let fault as FileFault {
            throw RecipeErrors([
                RecipeDiagnostic(
                    file: path, line: 1, column: 1, message: "the environment file \(fault.reason)",
                    suggestion: RecipeFiles.neighbour(of: path))
            ])
        } catch let errors as RecipeErrors {
            throw errors
        } catch {
            throw RecipeErrors([RecipeDiagnostic(file: path, line: 1, column: 1, message: "it cannot be read")])
        }
    }

    /// The same for a text in memory; `path` is for messages.
    package static func parse(_ bytes: [UInt8], path: String) throws(RecipeErrors) -> [String: String] {
        let problems = RecipeProblems(file: path)
        let bytes = RecipeFiles.withoutMark(bytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let place = SourceMark(offset: RecipeFiles.firstInvalidUTF8(bytes) ?? 0, in: bytes)
            problems.add(place, "the file is not UTF-8 here")
            throw RecipeErrors(problems.diagnostics)
        }
        var file = EnvironmentFile(text: Array(text.unicodeScalars), problems: problems)
        while file.next != nil { file.line() }
        guard problems.diagnostics.isEmpty else { throw RecipeErrors(problems.diagnostics) }
        return file.variables
    }

    private init(text: [Unicode.Scalar], problems: RecipeProblems) {
        (self.text, self.problems) = (text, problems)
    }

    private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

    private var isAtLineEnd: Bool {
        next == nil || next == "\n" || (next == "\r" && (at + 1 == text.count || text[at + 1] == "\n"))
    }

    @discardableResult
    private mutating func take() -> Unicode.Scalar? {
        guard let scalar = next else { return nil }
        at += 1
        mark =
            scalar == "\n"
            ? SourceMark(line: mark.line + 1, column: 1) : SourceMark(line: mark.line, column: mark.column + 1)
        return scalar
    }

    private mutating func skipBlanks() {
        while next == " " || next == "\t" { take() }
    }

    private mutating func skipLine() {
        while let scalar = take(), scalar != "\n" {}
    }

    private mutating func line() {
        skipBlanks()
        if isAtLineEnd || next == "#" { return skipLine() }
        var start = mark
        var name = word()
        if name == "export", next == " " || next == "\t" {
            skipBlanks()
            start = mark
            name = word()
        }
        skipBlanks()
        guard !name.isEmpty, next == "=" else {
            problems.add(
                start,
                "this is not KEY=VALUE; a key has letters, digits and _ and begins with no digit, and a value of "
                    + "several lines stands in quotes")
            return skipLine()
        }
        take()
        skipBlanks()
        guard let value = value() else { return skipLine() }
        skipLine()
        if let first = lines[name] {
            problems.add(start, "\(name) is given twice, first in line \(first)")
        } else {
            lines[name] = start.line
            variables[name] = value
        }
    }

    private mutating func word() -> String {
        var word = ""
        while let scalar = next,
            scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
                || (!word.isEmpty && ("0"..."9").contains(scalar))
        {
            word.unicodeScalars.append(scalar)
            take()
        }
        return word
    }

    /// The value that begins here; nil when it is wrong and has been told of.
    private mutating func value() -> String? {
        guard let quote = next, quote == "\"" || quote == "'" else { return plainValue() }
        let start = mark
        take()
        var value = String.UnicodeScalarView()
        while let scalar = take() {
            if scalar == quote {
                skipBlanks()
                if isAtLineEnd || next == "#" { return String(value) }
                problems.add(mark, "after the closing quote only a comment may follow")
                return nil
            }
            value.append(quote == "\"" && scalar == "\\" ? escaped() : scalar)
        }
        problems.add(start, "this quote is not closed")
        return nil
    }

    /// What follows a backslash in double quotes; a backslash before anything else means itself.
    private mutating func escaped() -> Unicode.Scalar {
        switch next {
        case "n":
            take()
            return "\n"
        case "r":
            take()
            return "\r"
        case "t":
            take()
            return "\t"
        case .some(let scalar) where scalar == "\"" || scalar == "\\" || scalar == "$":
            take()
            return scalar
        default: return "\\"
        }
    }

    private mutating func plainValue() -> String {
        var value = String.UnicodeScalarView()
        var afterBlank = true
        while !isAtLineEnd, let scalar = next, !(scalar == "#" && afterBlank) {
            afterBlank = scalar == " " || scalar == "\t"
            value.append(scalar)
            take()
        }
        while value.last == " " || value.last == "\t" { value.removeLast() }
        return String(value)
    }
}
