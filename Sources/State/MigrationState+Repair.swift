import JSONText

extension MigrationState {
    /// A repair: it writes documents as a copy does, so nothing is purged while it is unfinished.
    package struct Repair: Sendable, Equatable {
        /// Milliseconds since 1970.
        package var started: Int64
        /// nil: it is under way, or was broken off.
        package var finished: Int64?

        package init(started: Int64, finished: Int64? = nil) { (self.started, self.finished) = (started, finished) }

        package var json: JSONValue {
            var members: JSONObject = ["started": .number("\(started)")]
            if let finished { members["finished"] = .number("\(finished)") }
            return .object(members)
        }

        package init?(json: JSONValue) {
            guard let started = json["started"]?.time else { return nil }
            self.init(started: started, finished: json["finished"]?.time)
        }
    }
}
