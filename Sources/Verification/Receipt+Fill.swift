import Parity

/// What a comparison came to, in the receipt.
extension Receipt {
    mutating func fill(
        _ scanned: Comparison.Scanned, _ settled: [SettlingResult], begun: GroupPositions, reportLimit: Int
    ) {
        fillIndices(scanned, settled)
        for ignored in scanned.ignored {
            guard let entry = ignored.entry, indices.indices.contains(entry) else {
                remarks.append(
                    "\(ignored.documents) documents of all indices together are equal only because \(ignored.path) is "
                        + "not compared")
                continue
            }
            indices[entry].ignored[ignored.path] = ignored.documents
        }
        remarks += scanned.unread + scanned.remarks + settled.flatMap(\.remarks)
        examples = Array(settled.flatMap(\.examples))
        oldestRead = scanned.oldestRead ?? began
        sourceWritten = scanned.sourceWritten
        sequenceRead = scanned.sequenceRead ?? began
        addRepeated(scanned, reportLimit)
        if scanned.hasStopped {
            hasStopped = true
            remarks.append("it stopped at the first documents that differ, as --stop-after says: there may be more")
        }
        let unknown =
            scanned.entries.reduce(0) { $0 + $1.unknown }
            + settled.reduce(0) { $0 + $1.indices.values.reduce(0) { $0 + $1.unknown } }
        if unknown > 0 { remarks.append("of \(unknown) documents the log does not say any more what they should be") }
        guard let last = settled.last else { return }
        // Where nothing had to be judged, nobody has asked again.
        let stands = last.positions ?? begun
        let isSettling = settled.contains { $0.totals.settling > 0 }
        positions = last.verifiedUpTo.keys.sorted().map { partition in
            let upTo = last.verifiedUpTo[partition] ?? 0
            return Position(
                partition: partition,
                // What was not judged holds no further than both sides were.
                verifiedUpTo: isSettling ? min(upTo, stands.applied[partition] ?? upTo) : upTo,
                application: stands.application?[partition], crossfade: stands.crossfade[partition],
                end: max(stands.ends[partition] ?? 0, upTo),
                writtenUpTo: scanned.written[partition])
        }
    }

    private mutating func fillIndices(_ scanned: Comparison.Scanned, _ settled: [SettlingResult]) {
        for (entry, read) in scanned.entries.enumerated() where indices.indices.contains(entry) {
            if let sequences = scanned.sequences {
                indices[entry].sequence = sequences.indices.contains(entry) ? sequences[entry] : [:]
            }
            var totals = ParityTotals()
            for result in settled { totals += result.indices[entry]?.totals ?? ParityTotals() }
            // Of the candidates that only commands have named, nearly all were alike in the scans. They are counted as
            // they were when they were judged.
            let commanded = max(0, (settled.first?.indices[entry]?.totals.compared ?? 0) - read.candidates)
            // What was not read on both sides was not compared.
            let isRead = scanned.isWhole && !scanned.hasStopped
            let alike = isRead ? max(0, read.expected - read.differing - commanded) : 0
            totals.compared += alike
            totals.equal += alike
            indices[entry].totals = totals
            (indices[entry].sourceRead, indices[entry].targetRead) = (read.expected, read.target)
            if read.others > 0 {
                remarks.append(
                    "\(read.others) documents behind `from` of \(indices[entry].name) belong to other entries, or to "
                        + "none (select)")
            }
            indices[entry].uncopied = read.uncopied + settled.reduce(0) { $0 + ($1.indices[entry]?.uncopied ?? 0) }
        }
    }

    /// Keeps the documents that are wrong or not judged, for a verification that goes on from here.
    mutating func keepOpen(_ files: [KeyFile]) throws {
        for file in files {
            try file.read(chunk: 1000) { keys in
                let room = max(0, Self.mostOpen - open.count)
                open += keys.prefix(room)
                openUnlisted += max(0, keys.count - room)
            }
        }
    }

    /// Two documents of the old side that are written under one id: one of them is lost.
    private mutating func addRepeated(_ scanned: Comparison.Scanned, _ limit: Int) {
        for one in scanned.repeated.prefix(limit) {
            examples.append(
                Finding(
                    .twin, one.key,
                    note: "the old side has \(one.source) documents that are written under this id, the new one "
                        + "\(one.target)"))
        }
        guard scanned.repeatedCount > 0, !indices.isEmpty else { return }
        indices[0].totals.findings[.twin, default: 0] += scanned.repeatedCount
        indices[0].totals.compared += scanned.repeatedCount
    }

    /// What counts besides the totals.
    struct Judging {
        /// Whether everything was read.
        var isWhole: Bool
        /// Whether it is known of everything what it should be.
        var isKnown = true
        /// Whether it is right that there is nothing to compare.
        var acceptsEmpty = false
        /// Entries of which it is right that they have no document, if any other has one.
        var emptyEntries: Set<Int> = []
        /// Whether it is right that documents of the old side cannot be copied.
        var acceptsUncopied = false
    }

    mutating func judge(_ judging: Judging) {
        // What is wrong is final, whatever else is not known.
        let foundWrong = totals.wrong > 0
        func isKnown(_ number: Int) -> Bool {
            judging.isKnown && (indices[number].uncopied == 0 || judging.acceptsUncopied)
        }
        let acceptsEntries = totals.compared > 0
        for number in indices.indices {
            let totals = indices[number].totals
            let isAccepted = judging.acceptsEmpty || (acceptsEntries && judging.emptyEntries.contains(number))
            let reasons: [(Bool, Verdict)] = [
                (!judging.isWhole, .incomplete), (totals.wrong > 0, .different), (totals.settling > 0, .settling),
                (!foundWrong && !isKnown(number), .incomplete),
                (totals.compared == 0 && since == nil && !isAccepted, .empty),
            ]
            indices[number].verdict = Verdict.of(reasons.filter(\.0).map(\.1))
        }
        verdict = Verdict.of(indices.map(\.verdict))
        let uncopied = indices.reduce(0) { $0 &+ $1.uncopied }
        if uncopied > 0, !judging.acceptsUncopied {
            remarks.append(
                "\(uncopied) documents of the old side cannot be copied, so they are not compared, and readers of the "
                    + "new side do not find them; `verify.uncopied: accept` says that this is right")
        }
        let empty = indices.filter { $0.verdict == .empty }.map(\.name)
        guard !empty.isEmpty else { return }
        remarks.append(
            "\(empty.joined(separator: ", ")) \(empty.count == 1 ? "has" : "have") no document on either side, so "
                + "nothing is proved; "
                + (acceptsEntries
                    ? "`empty: accept` in the entry says that this is right"
                    : "`verify.empty: accept` says that this is right"))
    }
}
