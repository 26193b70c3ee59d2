/// One server-sent event: its name and one line of JSON.
/// Source: the event stream format of the HTML standard, section 9.2.
struct ServerSentEvent {
    var name: String
    /// JSON on one line.
    var data: String

    var bytes: [UInt8] { Array("event: \(name)\ndata: \(data)\n\n".utf8) }
}
