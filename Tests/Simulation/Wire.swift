import Indexing

/// Something in the network.
struct Wire {
    enum Load {
        /// As it was sent; the copy's through the alias of its round.
        case bulk(Batch, [Item], round: Int)
        case letter(RunID, World.Letter)
        case read(Engine.Answer)
        case purge([(id: Int, version: Int64)], PurgeRecord.Claim)
    }
    var engine: Int
    var born: Int
    var load: Load
    /// The target index that it was sent to.
    var index = 0

    var writes: Bool {
        switch load {
        case .bulk, .purge: true
        case .letter, .read: false
        }
    }
}
