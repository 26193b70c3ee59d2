import Basics
import Testing

/// Tells when it is let go.
private final class Guest {
    let name: String
    private let gone: (String) -> Void

    init(_ name: String, gone: @escaping (String) -> Void = { _ in }) {
        self.name = name
        self.gone = gone
    }

    deinit { gone(name) }
}

@Suite struct UncountedSlotsTests {
    @Test func slotsOwnTheirObjects() {
        var gone: [String] = []
        do {
            let slots = UncountedSlots<Guest>(count: 3)
            #expect(slots.isEmpty && slots.isEmpty(1) && slots[1] == nil)
            #expect(slots.with(1) { $0.name } == nil)
            slots.put(Guest("a") { gone.append($0) }, in: 1)
            slots.put(Guest("b") { gone.append($0) }, in: 2)
            #expect(!slots.isEmpty && !slots.isEmpty(1) && slots.isEmpty(0))
            #expect(slots.with(1) { $0.name } == "a")
            #expect(gone.isEmpty)
            slots.put(Guest("c") { gone.append($0) }, in: 1)
            #expect(gone == ["a"], "the slot lets go of the object it had")
            let taken = slots.take(1)
            #expect(taken?.name == "c" && slots.isEmpty(1) && slots.take(1) == nil)
            #expect(gone == ["a"], "what was taken is the caller's")
        }
        #expect(Set(gone) == ["a", "b", "c"], "the slots let go of what they still have")
    }

    @Test func slotsAreFilledInTheOrderOfTheObjects() {
        let slots = UncountedSlots([Guest("a"), Guest("b")])
        #expect(slots.count == 2)
        #expect(slots.with(0) { $0.name } == "a")
        #expect(slots[1]?.name == "b")
    }

    #if DEBUG
        @Test func takingALentObjectIsFoundInDebugBuilds() async {
            await #expect(processExitsWith: .failure) {
                let slots = UncountedSlots([Guest("a")])
                slots.with(0) { _ in _ = slots.take(0) }
            }
        }
    #endif

    @Test func aSlotThatIsNotThereIsNeverRead() async {
        await #expect(processExitsWith: .failure) {
            let slots = UncountedSlots([Guest("a")])
            _ = slots.isEmpty(1)
        }
    }
}

@Suite struct CallbackContextTests {
    @Test func aBorrowedObjectIsNotKeptAlive() {
        var gone: [String] = []
        var guest: Guest? = Guest("a") { gone.append($0) }
        let pointer = guest.map { CallbackContext.borrowed($0) }
        #expect(CallbackContext.object(pointer, as: Guest.self)?.name == "a")
        guest = nil
        #expect(gone == ["a"])
    }

    @Test func anOwnedObjectLivesUntilItIsTaken() {
        var gone: [String] = []
        let pointer = CallbackContext.owned(Guest("a") { gone.append($0) })
        #expect(CallbackContext.object(pointer, as: Guest.self)?.name == "a")
        #expect(gone.isEmpty)
        CallbackContext.take(pointer, as: Guest.self)
        #expect(gone == ["a"])
    }

    @Test func nothingAndOthersAreNoObject() {
        let guest = Guest("a")
        #expect(CallbackContext.object(nil, as: Guest.self) == nil)
        #expect(CallbackContext.take(nil, as: Guest.self) == nil)
        #expect(CallbackContext.object(CallbackContext.borrowed(guest), as: BoxedInt.self) == nil)
        withExtendedLifetime(guest) {}
    }

    private final class BoxedInt {
        let value = 1
    }
}
