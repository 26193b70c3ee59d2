/// The names of a node, its cluster and its build.
struct NodeIdentity {
    let clusterName: String
    let clusterUUID: String
    let nodeID: String
    let nodeName = "embedded"

    init(clusterName: String) {
        self.clusterName = clusterName
        clusterUUID = NodeIdentity.random()
        nodeID = NodeIdentity.random()
    }

    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// 22 letters in the form of a server's UUID. `number` makes it unique.
    static func random(_ number: UInt64 = 0) -> String {
        var text: [UInt8] = []
        var rest = number
        while rest > 0 {
            text.append(letters[Int(rest % UInt64(letters.count))])
            rest /= UInt64(letters.count)
        }
        text.append(UInt8(ascii: "-"))
        while text.count < 22 { text.append(letters[Int.random(in: letters.indices)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
