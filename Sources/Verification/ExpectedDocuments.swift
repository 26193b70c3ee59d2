import Parity

/// What documents should be and what they are: from the old side (``LiveDocuments``), or from the log.
package protocol ExpectedDocuments: AnyObject {
    /// Tells of every key once, in any order. Throws where one cannot be read.
    func read(_ keys: [DocumentKey], _ told: (DocumentKey, LivePair) throws -> Void) throws
}

extension LiveDocuments: ExpectedDocuments {}
