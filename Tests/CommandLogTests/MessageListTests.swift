import Testing

@testable import CommandLog

extension MessageList {
    /// Takes the record and lets it go; gives its offset.
    fileprivate func drop(_ place: Int) -> Int64? {
        guard let owned = take(place) else { return nil }
        return owned.message.offset
    }

    fileprivate func dropFirst() -> Int64? {
        guard let owned = takeFirst() else { return nil }
        return owned.message.offset
    }
}

extension RecordBatch {
    /// Takes the record into the list's place; false when it is not there.
    fileprivate func move(_ index: Int, to list: MessageList, at place: Int) -> Bool {
        guard let owned = take(index) else { return false }
        list.put(owned, at: place)
        return true
    }
}

@Suite struct MessageListTests {
    private func threeRecords(_ body: (RecordBatch, LogConsumer) throws -> Void) throws {
        try records(3, body)
    }

    /// Polls until these records of a mock cluster are there.
    private func records(_ count: Int, _ body: (RecordBatch, LogConsumer) throws -> Void) throws {
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 1)
        let writer = try Writer(mock.bootstrap)
        try writer.fill("t", 0, count: count)
        try writer.flush()
        let settings = KafkaSettings(bootstrap: mock.bootstrap, group: "g")
        let consumer = try LogConsumer(settings: settings, topic: "t", mode: .assigned([0: 0]))
        let batch = RecordBatch()
        try eventually("all records") {
            try consumer.poll(into: batch)
            return batch.count == count
        }
        try body(batch, consumer)
        // It waits for every record that was not given back.
        #expect(consumer.close())
    }

    @Test func aRecordLeavesOnce() throws {
        try threeRecords { batch, _ in
            let messages = batch.take(0..<3)
            #expect(messages.count == 3 && (0..<3).map { messages[$0]?.offset } == [0, 1, 2])
            // The batch has nothing to give back any more, and the list owns the records.
            batch.releaseAll()
            #expect(batch.count == 0 && messages[2]?.offset == 2)
            let other = MessageList()
            #expect(messages.move(1, to: other) == 0 && messages[1] == nil && other[0]?.offset == 1)
            #expect(messages.drop(2) == 2 && messages.drop(2) == nil && messages[2] == nil)
            for place in [0, 0, 1, 2, 3, -1] { messages.giveBack(place) }
            #expect((0..<3).allSatisfy { messages[$0] == nil } && messages.dropFirst() == nil)
            other.removeAll()
            #expect(other.count == 0)
        }
    }

    @Test func aListGrows() throws {
        try records(100) { batch, _ in
            let messages = batch.take(0..<100)
            let other = MessageList()
            for place in 0..<100 { #expect(messages.move(place, to: other) == place) }
            #expect((0..<100).allSatisfy { messages[$0] == nil && other[$0]?.offset == Int64($0) })
            // A place that is empty moves as such.
            #expect(messages.move(0, to: other) == 100 && other[100] == nil && other.count == 101)
        }
    }

    @Test func placesAreFilledInAnyOrder() throws {
        try threeRecords { batch, _ in
            let places = MessageList(places: 3)
            #expect(batch.move(2, to: places, at: 0) && batch.move(0, to: places, at: 0))
            #expect(batch.move(1, to: places, at: 2))
            for index in [0, 1, 2, 3, -1] { #expect(!batch.move(index, to: places, at: 1)) }
            #expect(places[0]?.offset == 0 && places[1] == nil && places[2]?.offset == 1)
            #expect(places.dropFirst() == 0 && places.dropFirst() == 1 && places.dropFirst() == nil)
            batch.releaseAll()
        }
    }

    /// Nobody gives anything back by hand: the owners do it when they end.
    @Test func whatIsForgottenIsGivenBack() throws {
        try threeRecords { batch, _ in
            let kept = batch.take(0..<2)
            _ = kept.take(0)
            let places = MessageList(places: 1)
            #expect(batch.move(2, to: places, at: 0))
        }
    }
}
