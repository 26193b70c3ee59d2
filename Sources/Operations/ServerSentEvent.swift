import JSONText

/// One server-sent event: its name and one line of JSON.
/// Source: the event stream format of the HTML standard, section 9.2.
struct ServerSentEvent {
    var name: String
    var data: JSONValue

    var bytes: [UInt8] { Array("event: \(name)\ndata: \(data.text())\n\n".utf8) }
}
