import Basics

/// Puts environment variables and files where `${NAME}` and `${file:/path}` stand in values. `$${` means `${` itself.
/// What is put in is not looked through again.
package struct RecipeSubstitution {
    package let environment: [String: String]
    package let files: RecipeFiles
    package let problems: RecipeProblems

    /// The tree with everything put in. A tree with more text than a recipe may have is a problem, and what would be
    /// beyond that is left out.
    package func apply(to node: YAMLNode) -> YAMLNode {
        var room = YAMLLoader.maxTextBytes - node.bytes
        return apply(to: node, &room)
    }

    private func apply(to node: YAMLNode, _ room: inout Int) -> YAMLNode {
        switch node.content {
        case .sequence(let items):
            return YAMLNode(.sequence(items.map { apply(to: $0, &room) }), mark: node.mark)
        case .mapping(let pairs):
            let pairs = pairs.map { YAMLPair(key: $0.key, mark: $0.mark, value: apply(to: $0.value, &room)) }
            return YAMLNode(.mapping(pairs), mark: node.mark)
        case .scalar(let scalar):
            guard scalar.text.contains("${") else { return node }
            var made = replaced(scalar, at: node.mark)
            room -= made.text.utf8.count
            if room < 0 {
                problems.add(node.mark, YAMLLoader.tooMuchText)
                (made.text, made.isBroken) = ("", true)
            }
            return YAMLNode(.scalar(made), mark: node.mark)
        }
    }

    private func replaced(_ scalar: YAMLScalar, at mark: SourceMark) -> YAMLScalar {
        var text = ""
        var found = false
        var broken = false
        var rest = scalar.text[...]
        while let dollar = rest.firstIndex(of: "$") {
            text += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                text += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    problems.add(mark, "\"${\" has no \"}\"; a literal \"${\" is written \"$${\"")
                    return YAMLScalar(text: "", plain: scalar.plain, reference: scalar.text, isBroken: true)
                }
                if let value = value(of: String(rest[..<end].dropFirst(2)), at: mark) {
                    text += value
                } else {
                    broken = true
                }
                found = true
                rest = rest[rest.index(after: end)...]
            } else {
                text.append("$")
                rest = rest.dropFirst()
            }
        }
        text += rest
        return YAMLScalar(text: text, plain: scalar.plain, reference: found ? scalar.text : nil, isBroken: broken)
    }

    private func value(of name: String, at mark: SourceMark) -> String? {
        if name.hasPrefix("file:") {
            let path = String(name.dropFirst(5))
            do throws(FileFault) {
                var bytes = RecipeFiles.withoutMark(try files.read(path, limit: RecipeFiles.maxSubstituted))
                // Editors and `echo` end a file with a newline that nobody means.
                if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
                if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw FileFault(reason: "is not UTF-8")
                }
                return text
            } catch {
                problems.add(mark, "the file \(path) of ${file:} \(error.reason)")
                return nil
            }
        }
        let isName =
            !name.isEmpty && name.first?.isDecimalDigit != true
            && name.unicodeScalars.allSatisfy {
                $0 == "_" || ($0.isASCII && $0.properties.isAlphabetic) || ("0"..."9").contains($0)
            }
        guard isName else {
            problems.add(
                mark,
                "\"${\(name)}\" names no variable; write ${NAME} or ${file:/path}, and a literal \"${\" as \"$${\"")
            return nil
        }
        guard let value = environment[name] else {
            let near = NearestWord.to(name, among: environment.keys.sorted())
            problems.add(mark, "the environment variable \(name) is not set", suggestion: near)
            return nil
        }
        return value
    }
}
