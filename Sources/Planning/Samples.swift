import Recipe
import Telemetry

/// The samples of the log and of the source. Each is taken once, and every rail that looks at records or documents
/// looks at these.
package struct Samples: Sendable {
    package let log: LogSample
    package let source: SourceSample

    package static func take(_ recipe: Recipe, survey: Survey, logger: Logger) throws -> Samples {
        Samples(log: try LogSample.take(recipe, survey: survey, logger: logger), source: SourceSample.take(survey))
    }

    /// The rails that judge the samples, in the order in which they are shown.
    package func rails(_ recipe: Recipe, _ survey: Survey) -> [Rail] {
        // Without commands there is nothing that documents could contradict.
        guard recipe.hasCommands else {
            return CopyVersionRail.look(recipe, survey, self) + GrowthRail.look(recipe, survey, self)
        }
        let deletes = AppliedDeletes(recipe, survey, log)
        let identity = IdentityRail.look(recipe, survey, self, deletes)
        return [log.onePartitionRail(recipe)] + identity.rails + deletes.rails(identity.found)
            + CommandDeathsRail.look(recipe, self)
            + MissingRail.look(recipe, self)
            + SourceFilterRail.sampled(recipe, survey, log)
            + CopyVersionRail.look(recipe, survey, self)
            + GrowthRail.look(recipe, survey, self)
            + AttributionRail.look(recipe, survey, self)
    }
}
