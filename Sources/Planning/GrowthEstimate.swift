import Foundation
import Schema

/// How many different things there are in a whole, by a sample of it: the estimator Chao2, extrapolated to the whole.
/// It needs only how many were seen in one unit of the sample, and how many in two. It is a lower bound where things
/// are seen in units independently of each other.
struct GrowthEstimate: Sendable, Equatable {
    /// Units of the sample, and of the whole.
    var sampled: Int
    var whole: Int
    /// Things that were seen in one unit only, and in two.
    var once: Int
    var twice: Int

    /// How many more things the rest of the whole brings: as expected, and at least (95 %).
    var more: (expected: Double, least: Double) {
        guard sampled > 0, whole > sampled, once > 0 else { return (0, 0) }
        let (n, q1, q2) = (Double(sampled), Double(once), Double(twice))
        let share = (n - 1) / n
        let unseen: Double
        let variance: Double
        if twice > 0 {
            let ratio = q1 / q2
            unseen = share * q1 * q1 / (2 * q2)
            variance =
                q2 * (share / 2 * ratio * ratio + share * share * pow(ratio, 3) + share * share / 4 * pow(ratio, 4))
        } else {
            unseen = share * q1 * (q1 - 1) / 2
            variance = share * q1 * (q1 - 1) / 2 + share * share * q1 * (2 * q1 - 1) * (2 * q1 - 1) / 4
        }
        guard unseen > 0 else { return (0, 0) }
        let spread = exp(1.96 * sqrt(log(1 + variance / (unseen * unseen))))
        return (reached(unseen), reached(unseen / spread))
    }

    /// How many of the unseen things the rest of the whole shows.
    private func reached(_ unseen: Double) -> Double {
        let chance = Double(once) / (Double(sampled) * unseen + Double(once))
        return unseen * (1 - pow(1 - chance, Double(whole - sampled)))
    }
}

extension FieldGrowth {
    /// What a sample of one origin says about its whole.
    struct Sample {
        var estimate: GrowthEstimate
        /// Fields of a new name, on average.
        var fieldsEach: Double
        /// Documents that bring a name which no other has.
        var growingDocuments: Int
    }

    func sample(of origin: Origin, whole: Int) -> Sample {
        let seen = counts(of: origin)
        return Sample(
            estimate: GrowthEstimate(
                sampled: documents[origin.rawValue], whole: whole, once: seen.once, twice: seen.twice),
            fieldsEach: seen.once > 0 ? Double(seen.fieldsOfOnce) / Double(seen.once) : 1,
            growingDocuments: seen.documents)
    }
}
