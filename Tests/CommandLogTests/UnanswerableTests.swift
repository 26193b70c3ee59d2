import CLibrdkafka
import Foundation
import Testing

@testable import CommandLog

/// Questions that brokers do not answer: because they are a simulation, because they are old, because they may not.
@Suite(.serialized) struct UnanswerableTests {
    private static let offsetFetch: Int16 = 9
    private static let findCoordinator: Int16 = 10

    private func logged() throws -> (mock: MockLog, admin: LogAdmin) {
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 2)
        return (mock, try LogAdmin(settings: mock.settings(group: "g")))
    }

    /// Without a controller neither can be asked; that is known long before the request's own time is up.
    @Test func theMockHasNoController() throws {
        let (mock, admin) = try logged()
        defer { withExtendedLifetime(mock) { admin.close() } }
        let begun = Deadline(seconds: 9)
        for error in [
            failure { _ = try admin.configuration(of: "t", timeout: 30) },
            failure { _ = try admin.createTopic("new", partitions: 1, timeout: 30) },
        ] {
            #expect(error?.code == .unsupported && error?.isUnanswerable == true, "\(String(describing: error))")
            #expect(error?.message.contains("controller") == true)
        }
        #expect(!begun.isOver)
    }

    @Test func aGroupThatMayNotBeRead() throws {
        for key in [Self.offsetFetch, Self.findCoordinator] {
            let (mock, admin) = try logged()
            defer { admin.close() }
            mock.fail(apiKey: key, error: RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED.rawValue, count: 1000)
            let error = failure { _ = try admin.committed(group: "theirs", topic: "t", partitions: [0, 1]) }
            #expect(error?.code == .authorization, "\(key): \(String(describing: error))")
        }
    }

    /// What passes is no refusal, and a broker that is away is none either.
    @Test func notReachableIsNotUnanswerable() throws {
        let (mock, admin) = try logged()
        defer { admin.close() }
        mock.fail(apiKey: Self.findCoordinator, error: RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE.rawValue, count: 2)
        #expect(try admin.committed(group: "g", topic: "t", partitions: [0, 1]).isEmpty)
        mock.setBroker(1, up: false)
        for error in [
            failure { _ = try admin.committed(group: "g", topic: "t", partitions: [0], timeout: 3) },
            failure { _ = try admin.configuration(of: "t", timeout: 3) },
        ] {
            #expect(error?.isUnanswerable == false && error?.retriable == true, "\(String(describing: error))")
        }
    }

    @Test func versionsThatTheBrokerLacks() {
        for err in [RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION] {
            let error = LogError(err, doing: "asking")
            #expect(error.code == .unsupported && !error.retriable)
        }
    }
}
