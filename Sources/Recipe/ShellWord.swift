/// Words of commands that a person is to type.
package enum ShellWord {
    /// `word` so that a shell takes it as one word that is no option.
    package static func quoted(_ word: String) -> String {
        let word = word.hasPrefix("-") && word != "-" ? "./" + word : word
        let isPlain = word.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "_-./:@%+=,".unicodeScalars.contains($0)
        }
        if isPlain, !word.isEmpty { return word }
        return "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
