import Foundation
import Migration
import Planning
import State
import Telemetry

enum InitCommand {
    static let declaration = CommandDeclaration(
        path: ["init"],
        summary: "Create the new indices, and where the migration's state is kept",
        discussion: """
            Does what `crossfade plan` printed. Confirm it with the fingerprint that plan printed, or answer yes on a
            terminal. The command may be repeated: it leaves everything that exists as it is.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init(
                "confirm", value: "FINGERPRINT",
                "Accept the plan with this fingerprint, which `crossfade plan` prints."),
            CommandDeclaration.adopt,
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        CommandRunner.withRecipe(arguments, output) { recipe, logger in
            let prepared = try Preflight.prepare(
                recipe, for: .initialise, depth: .plan, adopts: arguments.has("adopt"), logger: logger)
            let known = arguments.value("confirm") ?? (prepared.isMade ? prepared.fingerprint : nil)
            guard let confirmation = known ?? asked(prepared, output) else {
                output.failure(
                    "nothing was created, because nothing was confirmed. Look at the plan, then run crossfade init "
                        + "\(recipe.typed) --confirm \(prepared.fingerprint).", code: "usage")
                return .usage
            }
            let before = prepared.survey.state.flatMap { $0.fingerprint == prepared.fingerprint ? nil : $0 }
            let made = try Initialisation.run(prepared, confirmation: confirmation, logger: logger)
            let indices = prepared.survey.entries.map(\.index)
            let confirmed = before.map { Self.confirmed($0, prepared) }
            let said: String
            if made {
                said =
                    "\(Self.words(prepared)); "
                    + "next: crossfade \(recipe.source == nil ? "replay" : "copy") \(recipe.typed)"
            } else if confirmed != nil {
                said = "the target indices are there already; see crossfade status \(recipe.typed)"
            } else {
                said = "already initialised under this fingerprint; see crossfade status \(recipe.typed)"
            }
            output.data(
                [
                    "migration": .string(recipe.name), "fingerprint": .string(prepared.fingerprint),
                    "created": .bool(made), "confirmed": .bool(made || before != nil),
                    "indices": .array(indices.map { .string($0) }),
                    "adopted": .array(prepared.adopted.map { .string($0) }),
                    "accepted": AcceptanceReport.json(recipe.accept),
                ],
                text: VisibleText.joined(AcceptanceReport.lines(recipe.accept) + [confirmed, said].compactMap(\.self)))
            return .done
        }
    }

    /// That other work was confirmed than `state` said, and what differs.
    private static func confirmed(_ state: MigrationState, _ prepared: Preflight) -> String {
        let changes = prepared.differences(from: state, limit: 3)
        return "confirmed the changed recipe under \(prepared.fingerprint) (was \(state.fingerprint))"
            + (changes.isEmpty ? "" : ": \(changes.joined(separator: "; "))")
    }

    /// What was made, and what was there.
    private static func words(_ prepared: Preflight) -> String {
        let adopted = Set(prepared.adopted)
        let made = prepared.survey.entries.map(\.index).filter { !adopted.contains($0) }
        return [("created", made), ("adopted as it is:", prepared.adopted)].filter { !$0.1.isEmpty }
            .map { "\($0.0) \($0.1.joined(separator: ", "))" }.joined(separator: "; ")
    }

    /// On a terminal: shows the plan and asks. Returns the fingerprint when the user types yes; else nil.
    static func asked(_ prepared: Preflight, _ output: Output) -> String? {
        guard isatty(STDIN_FILENO) == 1, output.isTerminal else { return nil }
        output.talk(lines: prepared.text)
        guard prepared.refusals.isEmpty else { return prepared.fingerprint }
        output.talk("Create this? Type yes:")
        return readLine() == "yes" ? prepared.fingerprint : nil
    }
}
