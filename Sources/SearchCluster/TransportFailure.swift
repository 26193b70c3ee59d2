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
        // TLS 1.3 tells it after the handshake, where the first answer should come.
        let reason = why.lowercased()
        if reason.contains("alert"), reason.contains("certificate") || reason.contains("unknown ca") {
            return failure(
                .tls,
                settings.certificate == nil
                    ? "\(node) asks for a certificate of its clients; name one: client_certificate and client_key"
                    : "\(node) does not accept client_certificate; is it signed by an authority that the server trusts?"
            )
        }
        switch code {
        case CURLE_SSL_CERTPROBLEM:
            return failure(
                .tls,
                "client_certificate and client_key cannot be used; do they belong together, in PEM form, and is "
                    + "client_key_password right?")
        case CURLE_OPERATION_TIMEDOUT:
            return failure(
                .timedOut,
                transfer.neverConnected
                    ? "no connection to \(node) in time; check the address and the firewall"
                    : "\(node) did not answer in time; it may be overloaded")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CIPHER:
            return failure(.tls, "the certificate of \(node) was not accepted; \(certificateAdvice(code, why))")
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
            // A server may close the connection before its alert about a certificate was read.
            let asks = node.hasPrefix("https") ? " Does it want a client_certificate that it trusts?" : ""
            return failure(.unreachable, "the connection to \(node) broke; is the server up, and http or https?" + asks)
        }
    }

    /// What to do about a certificate, by the reason that OpenSSL gives.
    static func certificateAdvice(_ code: CURLcode, _ why: String) -> String {
        let why = why.lowercased()
        if code == CURLE_SSL_CACERT_BADFILE { return "ca_file holds no certificate in PEM form that can be read" }
        if why.contains("expired") { return "it has expired: renew it on the server" }
        if why.contains("not yet valid") { return "it is not valid yet: look at the clocks of both machines" }
        if why.contains("subject name") || why.contains("host name") || why.contains("hostname")
            || why.contains("ip address")
        {
            return "it is for another host name: write the URL with a name that the certificate has"
        }
        return "give the authority that signed it as ca_file"
    }
}
