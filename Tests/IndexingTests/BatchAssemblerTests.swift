import Seeds
import Testing

@testable import Indexing

/// An assembler in a box, because the macros of the tests cannot call what changes a value.
private final class Assembly {
    var assembler: BatchAssembler

    init(entries: Int, limits: BatchLimits, generation: Generation = 0) {
        assembler = BatchAssembler(entries: entries, limits: limits, generation: generation)
    }

    var hasOpen: Bool { assembler.hasOpen }
    func isOpen(_ entry: Int) -> Bool { assembler.isOpen(entry) }
    func open(_ entry: Int, now: Int64) -> BatchID { assembler.open(entry, now: now) }
    func isFull(_ documents: Int, bytes: Int) -> Bool { assembler.isFull(documents: documents, bytes: bytes) }
    func take(_ entry: Int) -> BatchID? { assembler.take(entry) }
    func takeDue(now: Int64) -> BatchID? { assembler.takeDue(now: now) }
    func takeAny() -> BatchID? { assembler.takeAny() }
    func abandon(generation: Generation) -> [BatchID] { assembler.abandon(generation: generation) }
}

@Suite struct BatchAssemblerTests {
    @Test func isFullByDocumentsOrBytes() {
        let assembler = Assembly(entries: 2, limits: BatchLimits(documents: 3, bytes: 100))
        #expect(!assembler.hasOpen && !assembler.isOpen(0))
        let first = assembler.open(0, now: 0)
        #expect(first == BatchID(entry: 0, serial: 1, generation: 0) && assembler.isOpen(0) && !assembler.isOpen(1))
        #expect(!assembler.isFull(1, bytes: 10))
        #expect(!assembler.isFull(2, bytes: 20))
        #expect(assembler.isFull(3, bytes: 30))
        #expect(assembler.take(0) == first)
        #expect(assembler.take(0) == nil && !assembler.hasOpen)
        #expect(assembler.open(1, now: 0).serial == 2)
        #expect(!assembler.isFull(1, bytes: 99))
        #expect(assembler.isFull(2, bytes: 100))
    }

    @Test func newLimitsCountForOpenBatches() {
        let assembler = Assembly(entries: 1, limits: BatchLimits(documents: 3, bytes: 100))
        _ = assembler.open(0, now: 0)
        #expect(!assembler.isFull(2, bytes: 1))
        assembler.assembler.limits = BatchLimits(documents: 2, bytes: 100)
        #expect(assembler.isFull(2, bytes: 1))
    }

    @Test func aTrickleWaitsNoLongerThanThis() {
        let assembler = Assembly(entries: 3, limits: BatchLimits(documents: 9, bytes: 9))
        #expect(assembler.takeDue(now: .max) == nil)
        let old = assembler.open(2, now: 1000)
        let young = assembler.open(0, now: 1050)
        #expect(assembler.takeDue(now: 1100) == nil)
        #expect(assembler.takeDue(now: 1101) == old)
        #expect(assembler.takeDue(now: 1101) == nil)
        #expect(assembler.isOpen(0) && !assembler.isOpen(2))
        #expect(assembler.takeAny() == young)
        #expect(assembler.takeAny() == nil)
    }

    @Test func abandonDropsWhatIsOpen() {
        let assembler = Assembly(entries: 3, limits: BatchLimits(documents: 9, bytes: 9), generation: 4)
        let batches = [assembler.open(0, now: 0), assembler.open(2, now: 0)]
        #expect(batches.allSatisfy { $0.generation == 4 })
        #expect(assembler.abandon(generation: 7) == batches)
        #expect(!assembler.hasOpen && assembler.abandon(generation: 8).isEmpty)
        #expect(assembler.open(0, now: 0) == BatchID(entry: 0, serial: 3, generation: 8))
    }

    /// Against lists of items: each is handed over or dropped once, in order, in a batch that is neither too large nor
    /// too old.
    @Test func everyItemLeavesOnce() {
        let seed = newSeed("BatchAssembler everyItemLeavesOnce")
        var random = Seeded(seed)
        for _ in 0..<200 {
            let entries = 1 + random.below(4)
            let limits = BatchLimits(documents: 1 + random.below(5), bytes: 20 + random.below(50))
            let assembler = Assembly(entries: entries, limits: limits)
            var open: [Int: (id: BatchID, opened: Int64, sizes: [Int])] = [:]
            var serials: [Int] = []
            var (now, generation): (Int64, Generation) = (0, 0)
            for _ in 0..<300 {
                switch random.below(8) {
                case 0: now += Int64(random.below(150))
                case 1:
                    while let id = assembler.takeDue(now: now) {
                        let batch = open.removeValue(forKey: id.entry)
                        #expect(batch?.id == id && now - (batch?.opened ?? now) > 100, "seed \(seed)")
                    }
                    #expect(open.values.allSatisfy { now - $0.opened <= 100 }, "seed \(seed)")
                case 2 where random.chance(20):
                    generation += 1
                    #expect(
                        Set(assembler.abandon(generation: generation)) == Set(open.values.map(\.id)), "seed \(seed)")
                    open = [:]
                default:
                    let entry = random.below(entries)
                    #expect(assembler.isOpen(entry) == (open[entry] != nil), "seed \(seed)")
                    if !assembler.isOpen(entry) {
                        open[entry] = (assembler.open(entry, now: now), now, [])
                        serials.append(open[entry]?.id.serial ?? 0)
                    }
                    open[entry]?.sizes.append(1 + random.below(30))
                    let sizes = open[entry]?.sizes ?? []
                    let bytes = sizes.reduce(0, +)
                    let isFull = assembler.isFull(sizes.count, bytes: bytes)
                    #expect(isFull == (sizes.count >= limits.documents || bytes >= limits.bytes), "seed \(seed)")
                    if isFull { #expect(assembler.take(entry) == open.removeValue(forKey: entry)?.id, "seed \(seed)") }
                }
                #expect(assembler.hasOpen == !open.isEmpty, "seed \(seed)")
                #expect(open.values.allSatisfy { $0.id.generation == generation }, "seed \(seed)")
            }
            #expect(serials == Array(1..<(serials.count + 1)), "seed \(seed)")
        }
    }
}
