import Testing

@testable import crossfade

/// Parsing of command lines.
struct ArgumentTests {
    private func parse(_ words: [String]) throws(UsageError) -> ArgumentParser.Request {
        try ArgumentParser(commands: CommandLineInterface.commands).parse(words)
    }

    private func error(_ words: String...) -> String {
        do {
            _ = try parse(words)
            return "none"
        } catch {
            return error.message
        }
    }

    @Test func understood() throws {
        let lines = [
            ["copy", "r.yaml", "--confirm", "ab12", "--format", "json", "-v"],
            ["copy", "--confirm=ab12", "-v", "--format=json", "--", "r.yaml"],
        ]
        for words in lines {
            guard case .run(let arguments) = try parse(words) else {
                Issue.record("not a command")
                return
            }
            #expect(arguments.command.name == "copy" && arguments.recipe == "r.yaml")
            #expect(arguments.value("confirm") == "ab12" && arguments.format == .json && arguments.isVerbose)
            #expect(!arguments.logsJSON)
        }
    }

    @Test func options() throws {
        guard case .run(let arguments) = try parse(["recipe", "check", "-r.yaml".dropFirst().description]) else {
            Issue.record("not a command")
            return
        }
        #expect(arguments.command.path == ["recipe", "check"] && arguments.value("confirm") == nil)
        #expect(arguments.format == .text && arguments.value("log") == "text")
    }

    @Test func notUnderstood() {
        #expect(error("pla", "r.yaml") == "there is no command \"pla\". Did you mean \"crossfade plan\"?")
        #expect(
            error("recipe", "chek", "r.yaml")
                == "crossfade recipe has no command \"chek\". Did you mean \"crossfade recipe check\"?")
        #expect(
            error("recipe", "x") == "crossfade recipe has no command \"x\". It has: check, test, schema.")
        #expect(
            error("plan")
                == "crossfade plan needs RECIPE. The migration's YAML file; - reads it from standard input. "
                + "See crossfade plan --help."
        )
        #expect(error("plan", "a", "b") == "\"b\" is one argument too many. See crossfade plan --help.")
        #expect(
            error("copy", "a", "--confrim", "x") == "crossfade copy has no option --confrim. Did you mean --confirm?")
        #expect(error("copy", "a", "--confirm") == "--confirm needs a value. See crossfade copy --help.")
        #expect(error("copy", "a", "--confirm", "") == "--confirm is empty; is a variable of the shell not set?")
        #expect(error("copy", "") == "RECIPE is empty; is a variable of the shell not set?")
        #expect(error("completions", "zhs") == "SHELL is \"zhs\"; it must be bash, zsh or fish. Did you mean \"zsh\"?")
        #expect(error("copy", "a", "-v=1") == "--verbose takes no value. See crossfade copy --help.")
        #expect(
            error("plan", "a", "--format", "jsn")
                == "--format is \"jsn\"; it must be text or json. Did you mean \"json\"?")
        #expect(error("help", "nothing").hasPrefix("there is no command \"nothing\"."))
        #expect(
            error("--format", "json", "plan").hasPrefix(
                "\"--format\" comes before a command; options follow the command."))
    }

    @Test(arguments: [
        [], ["help"], ["--help"], ["-h"], ["help", "copy"], ["copy", "--help"], ["recipe"], ["help", "recipe"],
    ])
    func help(_ words: [String]) throws {
        guard case .help(let path) = try parse(words) else {
            Issue.record("no help")
            return
        }
        let text = Help(commands: CommandLineInterface.commands).text(about: path)
        #expect(text.hasPrefix(path.isEmpty ? "Crossfade" : "Usage: crossfade \(path.joined(separator: " "))"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func everyCommandIsDeclaredOnce() {
        let names = CommandLineInterface.commands.map(\.name)
        #expect(Set(names).count == names.count)
        for command in CommandLineInterface.commands {
            let options = command.allOptions.map(\.name) + command.allOptions.compactMap { $0.short.map(String.init) }
            #expect(Set(options).count == options.count)
            #expect(!command.summary.hasSuffix("."))
        }
    }

    @Test func completionsNameEverything() {
        let completions = Completions(commands: CommandLineInterface.listed)
        for script in [completions.bash, completions.fish] {
            for command in CommandLineInterface.listed {
                #expect(command.path.allSatisfy { script.contains($0) })
                #expect(command.allOptions.allSatisfy { script.contains($0.name) })
            }
        }
    }

    /// A hidden command works and has help, but nothing else names it.
    @Test func hiddenCommandsAreNotListed() throws {
        let hidden = CommandLineInterface.commands.filter(\.hidden)
        #expect(!hidden.isEmpty)
        for command in hidden {
            guard case .run = try parse(command.path + command.positionals.map(\.name)),
                case .help(command.path) = try parse(command.path + ["--help"])
            else {
                Issue.record("\(command.name) does not run")
                continue
            }
            let help = Help(commands: CommandLineInterface.commands)
            #expect(help.text(about: command.path).contains(command.summary))
            #expect(!help.text(about: []).contains(command.name))
            #expect(!error("nothing-like-that").contains(command.name))
            #expect(!error(String(command.name.dropLast())).contains(command.name))
            #expect(!Completions(commands: CommandLineInterface.listed).bash.contains(command.name))
        }
    }
}
