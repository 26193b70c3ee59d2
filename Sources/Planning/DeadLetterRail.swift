import CommandLog
import Failures
import JSONText
import Recipe

/// Checks that the dead-letter topic takes letters and keeps them.
package enum DeadLetterRail {
    /// Changes nothing. A missing topic is created with the first letter.
    package static func look(_ recipe: Recipe, admin: LogAdmin) throws(LogError) -> Rail {
        let topic = recipe.deadLetterTopic
        // The rails about the clusters refuse that.
        guard topic != recipe.commands.topic else {
            return rail(.ok, "dead letters go to \(topic)")
        }
        let isThere = try Told.by { () throws(LogError) in
            do throws(LogError) {
                _ = try admin.describe(topic)
                return true
            } catch {
                guard error.code == .missingTopic else { throw error }
                return false
            }
        }
        if let why = isThere.why {
            return rail(
                .warn,
                "it is not known whether topic \(topic) takes dead letters: \(why). A record that cannot be written "
                    + "would "
                    + "stop the work")
        }
        guard isThere.value == true else { return rail(.ok, "topic \(topic) is made when the first letter comes") }
        let configuration = try Told.by { () throws(LogError) in try admin.configuration(of: topic) }
        return judge(topic, configuration)
    }

    package static func judge(_ topic: String, _ configuration: Told<[String: String]>) -> Rail {
        guard let found = configuration.value else {
            return rail(
                .warn,
                "it is not known whether topic \(topic) keeps its letters: \(configuration.why ?? ""). It must not be "
                    + "compacted")
        }
        if let policy = found["cleanup.policy"], policy.contains("compact") {
            return rail(.refused, Refusal.deadLettersCompacted(topic, policy: policy).text)
        }
        if let retention = found["retention.ms"].flatMap({ OutsideNumber.time(text: $0) }), retention >= 0 {
            return rail(
                .warn,
                "topic \(topic) keeps its letters for \(RecipeDuration.text(retention)) only: redrive them in time, or "
                    + "set "
                    + "retention.ms to -1")
        }
        return rail(.ok, "topic \(topic) takes dead letters and keeps them")
    }

    private static func rail(_ verdict: Rail.Verdict, _ detail: String) -> Rail {
        Rail(name: "dead_letters", verdict: verdict, detail: detail)
    }
}
