import Indexing
import Seeds
import Testing

@Suite struct CopyProgressTests {
    @Test func recordsASliceOnceItIsFinishedAndNotBefore() {
        var copy = CopyProgress(recorded: [false, true, false])
        #expect(copy.unfinished == [0, 2])
        let first = copy.take()
        let places = [copy.returned(5, of: 0), copy.returned(3, of: 0)]
        #expect(first == 0 && places == [0, 5])
        #expect(copy.recordable { _ in false } == [])
        #expect(copy.recordable { _ in true } == [0], "a slice that nobody reads must not be recorded")
        copy.recorded([0])
        #expect(copy.recordable { _ in true } == [])
        #expect(!copy.isComplete)
        let left = [copy.take(), copy.take()]
        #expect(left == [2, nil])
        copy.recorded([2])
        #expect(copy.isComplete)
        #expect(copy.returned == 8 && copy.returned(of: 0) == 8 && copy.recordedCount == 2)
    }

    @Test func callsThatMakeNoSenseChangeNothing() {
        var copy = CopyProgress(recorded: [true, false])
        let before = copy
        let places = [0, 1, -1].map { copy.returned(1, of: $0) }
        #expect(places == [nil, nil, nil])
        #expect(copy.returned(of: 9) == 0)
        copy.recorded([0, 1, 7])
        #expect(copy == before)
    }

    /// Any number of readers in any order: each slice is given out once, and the copy is complete when all are
    /// recorded.
    @Test func givesEachSliceOutOnce() {
        var random = Seeded(newSeed("slices of a copy"))
        for _ in 0..<200 {
            let before = (0..<random.below(20)).map { _ in random.below(3) == 0 }
            var copy = CopyProgress(recorded: before)
            var taken: [Int] = []
            var finished: Set<Int> = []
            while !copy.isComplete {
                if random.below(2) == 0, let slice = copy.take() { taken.append(slice) }
                if let slice = taken.randomElement(using: &random) { finished.insert(slice) }
                let ready = copy.recordable { finished.contains($0) }
                #expect(Set(ready).isSubset(of: finished))
                if random.below(2) == 0 { copy.recorded(ready) }
            }
            #expect(taken == before.indices.filter { !before[$0] })
            #expect(copy.recordedCount == taken.count)
        }
    }
}

@Suite struct CopyGateTests {
    @Test func saysBeforeAndAfterTheAliasChanges() {
        for gate in CopyGate.allCases {
            let opening = gate.stepsToOpen(copyIsFinished: true)
            #expect(opening == [.record(.opening), .openAliases, .record(.open)])
        }
        #expect(CopyGate.stepsToClose == [.record(.closing), .closeAliases, .recordFinished])
    }

    @Test func setsTheAliasOfAnUnfinishedCopyAgain() {
        #expect(CopyGate.open.stepsToOpen(copyIsFinished: false) == [.openAliases])
        #expect(CopyGate.opening.stepsToOpen(copyIsFinished: false).first == .record(.opening))
    }

    /// A crash after any step of closing leaves a word from which the next copy, or this one again, gets it right.
    @Test func aCrashInBetweenIsMadeGood() {
        for crash in 0...CopyGate.stepsToClose.count {
            var (gate, isOpen, isFinished) = (CopyGate.open, true, false)
            func perform(_ steps: some Sequence<CopyGate.Step>) {
                for step in steps {
                    switch step {
                    case .record(let word): gate = word
                    case .openAliases: isOpen = true
                    case .closeAliases: isOpen = false
                    case .recordFinished: (gate, isFinished) = (.closed, true)
                    }
                    #expect(!(isFinished && isOpen), "the copy is finished, but its alias takes writes")
                }
            }
            perform(CopyGate.stepsToClose.prefix(crash))
            guard !isFinished else { continue }
            perform(gate.stepsToOpen(copyIsFinished: isFinished))
            #expect(isOpen && gate == .open)
            perform(CopyGate.stepsToClose)
            #expect(!isOpen && isFinished && gate == .closed)
        }
    }
}
