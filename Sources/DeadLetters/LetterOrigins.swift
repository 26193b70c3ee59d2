/// Which records of the command topic a letter can be of. Whoever can write the dead-letter topic can write any header:
/// a letter with a later epoch or a higher offset than any record has would be written with a version that bars every
/// command to come.
package struct LetterOrigins: Sendable {
    package var topic: String
    /// `commands.epoch` of the recipe.
    package var epoch: Int64
    /// The end of each partition, asked after the letters were read. Of earlier epochs nobody knows it any more.
    package var ends: [Int32: Int64]

    package init(topic: String, epoch: Int64, ends: [Int32: Int64]) {
        (self.topic, self.epoch, self.ends) = (topic, epoch, ends)
    }

    /// A copied document is of no record, and passes.
    package func has(_ origin: DeadLetter.Origin) -> Bool {
        guard case .record(let topic, let partition, let offset, let epoch) = origin else { return true }
        guard topic == self.topic, 0...self.epoch ~= epoch else { return false }
        guard epoch == self.epoch else { return true }
        return ends[partition].map { offset < $0 } ?? false
    }
}
