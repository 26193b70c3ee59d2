import CLibcurl

// What a failed transfer means.
extension TransportLoop {
    /// The error for a transfer that curl ended with `code`.
    static func error(_ transfer: Transfer, _ code: CURLcode, _ settings: TransportSettings) -> ClusterError {
        let node = settings.shownURLs[transfer.node]
        let why = transfer.explanation(code)
        func failure(_ kind: ClusterError.Code, _ message: String, retriable: Bool? = nil) -> ClusterError {
            var error = ClusterError(kind, message, node: node, underlying: why, retriable: retriable)
            error.neverConnected = transfer.neverConnected
            return error
        }
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            return failure(
                .timedOut,
                transfer.neverConnected
                    ? "no connection to \(node) in time; check the address and the firewall"
                    : "\(node) did not answer in time; it may be overloaded")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER:
            return failure(
                .tls, "the certificate of \(node) was not accepted; give the authority that signed it as ca_file")
        case CURLE_SSL_CONNECT_ERROR:
            return failure(.tls, "the TLS handshake with \(node) failed; does that port speak https?", retriable: true)
        case CURLE_WRITE_ERROR where transfer.overflowed:
            return failure(
                .tooLarge,
                "the answer of \(node) is longer than \(transfer.answerLimit) bytes (fixed limit answer_bytes)")
        case CURLE_WRITE_ERROR, CURLE_BAD_CONTENT_ENCODING, CURLE_WEIRD_SERVER_REPLY:
            return failure(.malformedAnswer, "the answer of \(node) is not proper HTTP")
        case CURLE_UNSUPPORTED_PROTOCOL:
            return failure(.malformedAnswer, "\(node) does not speak HTTP; is it the REST port, and http or https?")
        case CURLE_URL_MALFORMAT:
            return failure(.configuration, "the URL of \(node) is malformed; write it as http://host:9200")
        case CURLE_COULDNT_RESOLVE_HOST:
            return failure(.unreachable, "the host name of \(node) is not known; check it and the DNS")
        case CURLE_COULDNT_CONNECT:
            return failure(.unreachable, "\(node) refuses connections; is the server up?")
        default:
            return failure(.unreachable, "the connection to \(node) broke; is the server up, and http or https?")
        }
    }
}
