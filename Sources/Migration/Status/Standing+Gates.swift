import Cutover
import State

extension Standing {
    /// The conditions for moving readers that follow from where the migration stands. The rollover adds those that need
    /// the clusters' answers. `recipe`: as it is typed.
    package func gates(recipe: String, fingerprint: String) -> [Gate] {
        guard phase != nil else {
            return [.failed(.initialised, "it is not initialised", mend: "crossfade plan \(recipe)")]
        }
        var found = [Gate.passed(.initialised, "the migration is initialised")]
        func add(_ name: Gate.Name, _ reasons: [String], _ passed: String, mend: String?) {
            found += reasons.isEmpty ? [.passed(name, passed)] : reasons.map { .failed(name, $0, mend: mend) }
        }
        let initialise = missing.isEmpty ? nil : "crossfade init \(recipe) --confirm \(fingerprint)"
        add(.indices, indexReasons, "all target indices are there and open", mend: initialise)
        add(
            .confirmed, isConfirmed ? [] : [Self.unconfirmed], "the recipe says what was confirmed",
            mend: "crossfade plan \(recipe)")
        add(
            .copied, copyReasons, hasSource ? "the copy is finished" : "there is no source to copy from",
            mend: "crossfade copy \(recipe)")
        add(
            .replayed, replayReasons, hasCommands ? "the replay is finished" : Self.noLog,
            mend: "crossfade replay \(recipe)")
        add(
            .repaired, repair == .unfinished ? ["the repair is not finished"] : [], "no repair is under way",
            mend: "crossfade verify \(recipe) --repair --yes")
        switch verified {
        case .notEqual(let isDifferent, let receipt):
            let what = isDifferent ? "found documents wrong" : "has not judged every document"
            found.append(
                .failed(
                    .receipt, "the newest verification \(what): receipt \(receipt)",
                    mend: "crossfade verify \(recipe)" + (isDifferent ? " --repair" : "")))
        case .oldSideDiffers(let count, let receipt):
            found.append(
                .failed(
                    .receipt,
                    "receipt \(receipt): \(count) document\(count == 1 ? "" : "s") different, left as log_agrees",
                    mend: ReceiptEntry.oldSideDiffersAdvice))
        case .void(let why): found.append(.failed(.receipt, why, mend: "crossfade verify \(recipe)"))
        case .never, .old, .fresh: break
        }
        add(
            .followed, followReasons, hasCommands ? "every partition is followed" : Self.noLog,
            mend: "crossfade follow \(recipe)")
        add(.waiting, waiting, "nothing keeps the work from going on", mend: nil)
        add(
            .lag, lagReason.map { [$0] } ?? [], lagPassed,
            mend: running.contains("follow")
                ? "wait: crossfade status \(recipe) shows it shrink" : "crossfade follow \(recipe)")
        if lostLetters.isEmpty || !letterReasons.isEmpty {
            add(
                .deadLetters, letterReasons, "no dead letter is unresolved",
                mend: "crossfade dead-letters list \(recipe)")
        }
        found += lostLetters.map { .failed(.deadLetters, $0, mend: Self.lostLettersAdvice(recipe)) }
        add(.alarms, alarms.map { "alarm \($0.name)" }, "no alarm", mend: "crossfade status \(recipe)")
        found += blocked
        if verified == .never, !hasCutOver, found.allSatisfy({ $0.verdict == .passed }) {
            found.append(.nothingVerified(recipe: recipe))
        }
        return found
    }

    /// Whether the newest verification found documents wrong.
    var foundWrong: Bool {
        if case .notEqual(isDifferent: true, _) = verified { return true }
        return false
    }

    /// The commands themselves may still be in the command topic.
    package static func lostLettersAdvice(_ recipe: String) -> String {
        "crossfade verify \(recipe) shows what the new side lacks, and crossfade replay \(recipe) reads their records "
            + "again; then crossfade dead-letters discard \(recipe) --why TEXT says that they are not needed"
    }

    private static let noLog = "not applicable: the recipe names no command topic"

    private var copyReasons: [String] {
        guard hasSource else { return [] }
        switch copy {
        case .none: return ["nothing has been copied from the source"]
        case .unfinished: return ["the copy is not finished"]
        case .done: return []
        }
    }

    private var replayReasons: [String] {
        guard hasCommands else { return [] }
        if replayDue { return [Self.due] }
        return replay == .unfinished ? ["the replay is not finished"] : []
    }

    private var followReasons: [String] {
        guard hasCommands else { return [] }
        if !running.contains("follow") { return ["nobody follows"] }
        if logUnknown != nil { return ["it is not known whether every partition is followed: \(Self.topicAway)"] }
        return unread.isEmpty ? [] : ["nobody follows partition \(unread.map(String.init).joined(separator: ", "))"]
    }

    private var lagPassed: String {
        guard hasCommands else { return Self.noLog }
        guard let lag, lag > 0 else { return "the lag is 0" }
        return "the records that were there when this was asked are applied"
    }
}

extension Gate {
    /// There is no receipt of the work that is confirmed. `recipe`: as it is typed.
    package static func nothingVerified(recipe: String) -> Gate {
        .failed(
            .receipt, "nothing was verified: there is no receipt of this work", mend: "crossfade verify \(recipe)")
    }
}
