import SearchCluster

/// What the target does not let us ask. Work needs its answers; `status` says which it has not got.
final class Untold {
    private let isLenient: Bool
    private(set) var texts: [String] = []

    init(isLenient: Bool) { self.isLenient = isLenient }

    /// The answer, or `instead` where the question is forbidden and that is no reason to end.
    func ask<Answer>(_ instead: Answer, _ question: () throws -> Answer) throws -> Answer {
        do {
            return try question()
        } catch let error as ClusterError {
            guard isLenient, error.code == .forbidden else { throw error }
            texts.append("\(error)")
            return instead
        }
    }
}
