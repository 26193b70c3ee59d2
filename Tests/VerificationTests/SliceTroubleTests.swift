import Testing

@testable import Verification

@Suite struct SliceTroubleTests {
    private func failed(_ trouble: inout SliceTrouble, waits: Bool, now: Int64) -> Bool {
        trouble.failed(waits: waits, now: now)
    }

    @Test func aSideThatGivesNothingIsGivenUpAfterAWhile() {
        var trouble = SliceTrouble(patience: 1000)
        trouble.begin()
        #expect(failed(&trouble, waits: true, now: 0))
        #expect(failed(&trouble, waits: true, now: 999))
        // A more careful way to read is always tried.
        #expect(failed(&trouble, waits: false, now: 5000))
        #expect(!failed(&trouble, waits: true, now: 1000))
    }

    @Test func anAnswerBeginsTheWaitAnew() {
        var trouble = SliceTrouble(patience: 1000)
        trouble.begin()
        #expect(failed(&trouble, waits: true, now: 0))
        trouble.isGiven()
        #expect(failed(&trouble, waits: true, now: 2000))
        #expect(failed(&trouble, waits: true, now: 2999))
        #expect(!failed(&trouble, waits: true, now: 3000))
    }

    @Test func aSliceThatAlwaysBreaksOffIsGivenUp() {
        var trouble = SliceTrouble(patience: .max)
        trouble.begin()
        for number in 1...SliceTrouble.mostBreaks {
            trouble.isGiven()
            let goesOn = trouble.failed(waits: true, now: 0)
            #expect(goesOn == (number < SliceTrouble.mostBreaks))
        }
        trouble.begin()
        #expect(failed(&trouble, waits: true, now: 0))
    }
}
