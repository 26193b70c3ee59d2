import Seeds
import Testing

@testable import Runtime

@Suite struct MailboxTests {
    @Test func keepsTheOrder() {
        let box = Mailbox<Int>()
        for number in 0..<3 { #expect(box.put(number)) }
        #expect((0..<4).map { _ in box.take(waiting: 0) } == [0, 1, 2, nil])
    }

    @Test func nothingComes() {
        let box = Mailbox<Int>()
        let begun = MonotonicClock.milliseconds()
        #expect(box.take(waiting: 30) == nil)
        #expect(MonotonicClock.milliseconds() - begun >= 29)
    }

    @Test func aClosedBoxGivesWhatIsInIt() {
        let box = Mailbox<Int>()
        box.put(1)
        box.close()
        #expect(box.isClosed && !box.put(2))
        #expect(box.take(waiting: nil) == 1)
        #expect(box.take(waiting: nil) == nil)
    }

    @Test func closingWakesTheTaker() {
        let box = Mailbox<Int>()
        let thread = JoinableThread("takes") { #expect(box.take(waiting: nil) == nil) }
        box.close()
        #expect(thread.join(seconds: 60))
    }

    /// Puts, takes and closing in any order, against a list.
    @Test func isLikeAList() {
        var random = Seeded(newSeed("mailbox against a list"))
        for _ in 0..<100 {
            let box = Mailbox<Int>()
            var model: [Int] = []
            var isClosed = false
            for number in 0..<200 {
                switch random.below(100) {
                case 0:
                    box.close()
                    isClosed = true
                case 1..<55:
                    #expect(box.put(number) == !isClosed)
                    if !isClosed { model.append(number) }
                default:
                    #expect(box.take(waiting: 0) == (model.isEmpty ? nil : model.removeFirst()))
                }
            }
        }
    }

    /// Several threads put and one takes, on busy cores: nothing is lost, and each sender's items keep their order.
    @Test func manySenders() {
        let box = Mailbox<(sender: Int, number: Int)>()
        let senders = (0..<4).map { sender in
            JoinableThread("puts-\(sender)") {
                for number in 0..<5000 { box.put((sender, number)) }
            }
        }
        var next = [0, 0, 0, 0]
        for _ in 0..<20_000 {
            guard let item = box.take(waiting: 60_000) else {
                Issue.record("an item is missing: \(next)")
                return
            }
            #expect(item.number == next[item.sender])
            next[item.sender] += 1
        }
        #expect(next == [5000, 5000, 5000, 5000])
        for sender in senders { #expect(sender.join(seconds: 60)) }
    }
}
