import Foundation
import JSONText

/// Who acts: a user on a host.
package struct Operator: Sendable, Equatable {
    package var host: String
    package var user: String

    package init(host: String, user: String) { (self.host, self.user) = (host, user) }

    /// Who runs this process. A user without a name, as in many containers, has its number.
    package static let present: Operator = {
        let name = NSUserName()
        return Operator(host: ProcessInfo.processInfo.hostName, user: name.isEmpty ? "uid \(getuid())" : name)
    }()

    /// `user on host`.
    package var words: String { "\(user) on \(host)" }

    package var json: JSONValue { ["host": .string(host), "user": .string(user)] }

    package init?(json: JSONValue) {
        guard let host = json["host"]?.string, let user = json["user"]?.string else { return nil }
        self.init(host: host, user: user)
    }
}
