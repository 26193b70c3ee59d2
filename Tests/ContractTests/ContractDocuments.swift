import Foundation
import JSONText
import SearchCluster
import Synchronization
import Testing

extension Array where Element == UInt8 {
    func withBytes<R>(_ body: (Bytes) throws -> R) rethrows -> R { try withUnsafeBufferPointer(body) }
}

extension MultiGetRequest {
    func append(_ id: String, routing: String? = nil) {
        Array(id.utf8).withBytes { id in
            guard let routing else { return append(id: id, routing: nil) }
            Array(routing.utf8).withBytes { append(id: id, routing: $0) }
        }
    }
}

extension ContractRun {
    func getsManyAtOnce() throws {
        // The index is not refreshed. A get sees the document all the same.
        var bulk = BulkBody()
        bulk.add("index", id: "fresh", version: 77, routing: "r1", source: ["n": 7])
        #expect(try bulk.send(writer, "c-many").map(\.status) == [201])
        let request = MultiGetRequest()
        request.append("fresh", routing: "r1")
        request.append("nobody", routing: "r1")
        request.append("id-3 \"ü\"", routing: "r3")
        let answer = try reader.multiGet("c-many", request)
        #expect(answer.documents.map(\.found) == [true, false, true])
        #expect(answer.documents.map(\.version) == [77, 0, 4])
        let source = try #require(answer.documents[0].source)
        #expect(try JSONValue(parsing: answer.bytes(source)) == ["n": 7])
        // Sends the request once more, without waiting.
        request.append("id-4 \"ü\"", routing: "r4")
        let done = DispatchSemaphore(value: 0)
        let versions = Mutex<[Int64]>([])
        reader.multiGet("c-many", request) { result in
            if case .success(let answer) = result { versions.withLock { $0 = answer.documents.map(\.version) } }
            done.signal()
        }
        done.wait()
        #expect(versions.withLock { $0 } == [77, 0, 4, 5])
        request.removeAll()
        request.append("any")
        #expect(code { _ = try reader.multiGet("c-absent", request) } == nil || row.name == "es-1.7")
    }

    func comparesAndSets() throws {
        try writer.createIndex(".c-state", body: body(shards: 1, properties: ["phase": can.keywordMapping]))
        #expect(try writer.getDocument(".c-state", "one") == nil)
        #expect(try writer.getDocument("c-absent", "one") == nil)
        let first = try writer.putDocument(".c-state", "one", ["phase": "planned"], expecting: .absent)
        #expect(code { try writer.putDocument(".c-state", "one", ["phase": "x"], expecting: .absent) } == .conflict)
        let read = try #require(try writer.getDocument(".c-state", "one"))
        #expect(read.source == ["phase": "planned"])
        #expect(read.token == first)
        let second = try writer.putDocument(".c-state", "one", ["phase": "created"], expecting: first)
        #expect(code { try writer.putDocument(".c-state", "one", ["phase": "y"], expecting: first) } == .conflict)
        #expect(code { try writer.deleteDocument(".c-state", "one", expecting: first) } == .conflict)
        #expect(try writer.getDocument(".c-state", "one")?.source == ["phase": "created"])
        #expect(try writer.deleteDocument(".c-state", "one", expecting: second))
        #expect(try writer.getDocument(".c-state", "one") == nil)
    }
}
