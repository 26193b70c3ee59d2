import Cutover
import Failures
import Indexing
import JSONText
import LogGuard
import Parity

/// The shape of the state document: every member that ``MigrationState/json`` writes.
extension StoredShape {
    /// The form of the state document; one of a greater form is not read.
    package static let form: Int64 = 1

    static let state = StoredShape.members(
        [
            .maybe("form", .count), .needed("name", .text),
            .needed("phase", .word(MigrationState.Phase.allCases.map(\.rawValue))),
            .needed("fingerprint", .text), .needed("work", .inText(.anything)), .needed("created", .time),
            .needed("indices", .list(.text, by: [], most: mostIndices)), .maybe("recorded", offsets),
            .maybe("recorded_epoch", .count),
            .maybe("recorded_at", .time),
            .maybe("log", .parsed(wanted: "an epoch and fingerprints") { MigrationState.Log(text: $0) != nil }),
            .maybe("copy", .inText(copy)), .maybe("replay", .inText(replay)),
            .maybe("copy_gate", .word(CopyGate.allCases.map(\.rawValue))), .maybe("replay_due", .flag),
            .maybe("uuids", .inText(.map(.text, most: mostIndices))),
            .maybe("adopted", .list(.text, by: [], most: mostIndices)),
            .maybe("purge", .inText(purge)), .maybe("repair", .inText(repair)), .maybe("fence", .inText(fence)),
            .maybe("receipts", .inText(.list(receipt, by: ["receipt"], most: ReceiptEntry.mostStored))),
            .maybe("letters", .inText(.map(letters, most: mostKinds))),
            .maybe("cutover", .inText(cutover)),
        ], by: [])

    private static let offsets = StoredShape.parsed(wanted: "offsets as partition:offset,partition:offset") {
        MigrationState.offsets(.string($0)) != nil
    }

    private static let copy = StoredShape.members(
        [
            .needed("round", .count), .needed("expected", .count), .needed("started", .time),
            .needed("slices", .list(slice, by: ["entry", "index", "spec"])), .maybe("finished", .time),
            .maybe("refreshed", .time), .maybe("source_written", .list(writeMark, by: ["index"])),
            .maybe("stopped", .text), .maybe("conflicts_from", .count), .maybe("part", part),
        ], by: ["started"])

    private static let slice = StoredShape.members(
        [
            .needed("entry", .count), .needed("index", .text), .needed("spec", .text), .needed("done", .flag),
            .needed("returned", .count), .needed("outcomes", .map(.count, most: mostKinds)),
        ], by: [])

    private static let part = StoredShape.members(
        [
            .needed("words", .text), .needed("query", .anything), .needed("before", .time), .maybe("chained", .flag),
        ], by: [])

    private static let writeMark = StoredShape.members(
        [
            .needed("index", .text), .maybe("uuid", .text),
            .needed(
                "shards",
                .map(
                    .members(
                        [.maybe("sequence", .count), .maybe("written", .count), .maybe("node", .text)], by: []),
                    most: mostIndices)),
        ], by: [])

    private static let replay = StoredShape.members(
        [
            .needed("round", .count), .needed("epoch", .count), .needed("started", .time), .needed("start", offsets),
            .needed("end", offsets), .needed("position", offsets), .maybe("finished", .time),
        ], by: ["started"])

    private static let purge = StoredShape.members(
        [
            .needed("first", .time), .needed("last", .time), .needed("purged", .count), .maybe("away", .flag),
            .maybe("under_way", .time),
        ], by: ["first"])

    private static let repair = StoredShape.members(
        [.needed("started", .time), .maybe("finished", .time)], by: ["started"])

    private static let letters = StoredShape.members(
        [.needed("written", .count), .needed("settled", .count)], by: [])

    private static let operatorShape = StoredShape.members([.needed("host", .text), .needed("user", .text)], by: [])

    private static let process = StoredShape.members(
        [.needed("machine", .text), .needed("pid", .count), .needed("began", .text)], by: [])

    private static let fence = StoredShape.members(
        [
            .maybe("confirmed_by", operatorShape), .maybe("confirmed_at", .time), .maybe("term", .time),
            .maybe("forms", .map(.anything, most: mostIndices)),
            .maybe(
                "holders",
                .map(
                    .members(
                        [
                            .needed("member", .text), .needed("by", operatorShape), .needed("since", .time),
                            .needed("process", process),
                        ], by: ["member"]), most: mostKinds)),
        ], by: [])

    private static let receipt = StoredShape.members(
        [
            .needed("receipt", .text), .needed("digest", .text),
            .needed("verdict", .word(Verdict.allCases.map(\.rawValue))),
            .needed("basis", .word(Receipt.Basis.allCases.map(\.rawValue))), .maybe("since", .text),
            .needed("fingerprint", .text), .needed("ended", .time), .needed("oldest_read", .time),
            .maybe("source_total", .count), .maybe("target_total", .count),
            .needed("totals", .map(.count, most: mostKinds)),
            .maybe("verified_up_to", .map(.count)), .maybe("void", .text), .maybe("old_side_differs", .count),
        ], by: [])

    private static let kind = StoredShape.word(CutoverState.Kind.allCases.map(\.rawValue))

    private static let place = StoredShape.members(
        [.needed("index", .text), .maybe("uuid", .text), .needed("definition", .object)], by: [])

    private static let moves = StoredShape.list(
        .members(
            [
                .needed("alias", .text), .needed("from", .list(place, by: ["index"], most: mostIndices)),
                .needed("to", .list(place, by: ["index"], most: mostIndices)),
            ], by: []), by: ["alias"], most: mostIndices)

    private static let cutover = StoredShape.members(
        [
            .needed("turn", .count),
            .maybe("mark", .members([.needed("turn", .count), .needed("home", .text)], by: ["turn"])),
            .maybe(
                "intent",
                .members(
                    [
                        .needed("kind", kind), .needed("turn", .count), .needed("moves", moves),
                        .needed("home", .text), .needed("by", .text), .needed("began", .time),
                        .maybe("process", .anything),
                    ], by: ["began"])),
            .maybe("moved", moves), .maybe("aliases", .list(.text, by: [], most: mostIndices)),
            .maybe("left_behind", .list(.text, by: [], most: mostIndices)), .maybe("rolled_over_at", .time),
            .maybe(
                "readers_due",
                .members(
                    [.needed("kind", kind), .needed("since", .time), .maybe("failure", .text)], by: ["since"])),
            .maybe("end", .word(CutoverState.Position.allCases.map(\.rawValue))),
            .maybe(
                "ending",
                .members(
                    [
                        .needed("by", .text), .needed("began", .time), .needed("archive", .text),
                        .needed("offsets", .map(.count)),
                        .needed("done", .list(.word(Ending.Step.allCases.map(\.rawValue)), by: [], most: mostKinds)),
                    ], by: ["began"])),
        ], by: [])
}

extension MigrationState {
    /// The state as it is stored. Throws where the document was damaged, or is of a newer version, with the place.
    ///
    /// - Parameters:
    ///   - document: its id.
    ///   - index: in which it stands.
    package static func stored(
        _ json: JSONValue, document: String, index: String
    ) throws(WorkError) -> MigrationState {
        if let form = json["form"]?.count, form > StoredShape.form {
            throw WorkError(
                .state,
                "the state in \(index) is of form \(form), and this version of crossfade knows form "
                    + "\(StoredShape.form): use the newer version that wrote it")
        }
        do throws(StoredDamage) {
            try StoredShape.state.check(json, at: "")
            if let state = MigrationState(json: json) { return state }
            throw StoredDamage(field: "the document", value: "something else", wanted: "a migration's state")
        } catch {
            throw WorkError(
                .state,
                "the state in \(index) is damaged: \(error.words). Nothing was changed. Restore the document "
                    + "\(document) of that index from a snapshot, or put this field right there by hand while nothing "
                    + "of crossfade runs, or begin anew: delete \(index) and the target index, then init, copy and "
                    + "replay. If a newer version of crossfade wrote it, use that one")
        }
    }

    /// The state as it is to be stored over the one that is: what a newer version has added to that stays. Throws
    /// where it could not be read again.
    package func document(over stored: JSONValue?, index: String) throws(WorkError) -> JSONValue {
        let document = stored.map { StoredShape.state.carrying($0, into: json) } ?? json
        do throws(StoredDamage) {
            try StoredShape.state.check(document, at: "")
        } catch {
            throw WorkError(
                .state,
                "the state in \(index) was not written, as it could not be read again: \(error.words). This is a "
                    + "defect of crossfade, or a server has told it nonsense. Nothing was changed")
        }
        return document
    }
}
