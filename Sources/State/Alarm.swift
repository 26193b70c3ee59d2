import Indexing
import JSONText

/// Something that cannot be right and that a human should look at.
package struct Alarm: Sendable, Equatable {
    package var name: String
    package var text: String

    package var json: JSONValue { ["name": .string(name), "text": .string(text)] }

    package init(name: String, text: String) {
        (self.name, self.text) = (name, text)
    }

    package init?(json: JSONValue) {
        guard let name = json["name"]?.string, let text = json["text"]?.string else { return nil }
        self.init(name: name, text: text)
    }

    /// The alarm about writes that came out stale although nobody can have written them before; nil: it was never
    /// raised.
    package init?(_ stale: StaleAlarm) {
        guard let worst = stale.worst else { return nil }
        self.init(
            name: "stale_rate",
            text: "\(worst.stale) of \(worst.outcomes) commands that are new in the log came out stale"
                + "\(stale.isRaised ? "" : " (it has passed)"): the target holds newer versions than this log gives. "
                + "Was it "
                + "restored from a snapshot, was the topic made again without raising commands.epoch, or does somebody "
                + "else write there?")
    }

    /// The alarm about records that mostly become dead letters; nil: it was never raised.
    package init?(_ deaths: DeathAlarm, isRaised: Bool) {
        guard let among = deaths.worst else { return nil }
        self.init(
            name: "death_rate",
            text: "\(deaths.count) of \(max(among, deaths.count)) records in a row became dead letters"
                + "\(isRaised ? "" : " (it has passed)"): does the recipe fit what the topic holds, and the mapping "
                + "what is written? Nothing is lost: see `crossfade dead-letters list`, mend it, then redrive")
    }
}
