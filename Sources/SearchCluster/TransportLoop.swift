import CLibcurl
import JSONText

/// The transport's thread: owns the multi handle and every easy handle. Never leaves its thread.
final class TransportLoop {
    private let settings: TransportSettings
    private let inbox: TransportInbox
    private let multi: UnsafeMutableRawPointer
    private var ring: NodeRing
    private var idle: [Transfer] = []
    /// Those under way, by easy handle: keeps them alive, since curl holds them unretained.
    private var active: [UnsafeMutableRawPointer: Transfer] = [:]
    private var batch: [Submission] = []
    /// One list a content type, built once; the nodes share credentials, so they share the lists.
    private var jsonHeaders: UnsafeMutablePointer<curl_slist>?
    private var ndjsonHeaders: UnsafeMutablePointer<curl_slist>?
    private var textHeaders: UnsafeMutablePointer<curl_slist>?

    init(settings: TransportSettings, inbox: TransportInbox) {
        self.settings = settings
        self.inbox = inbox
        multi = inbox.multi
        ring = NodeRing(count: settings.urls.count)
        jsonHeaders = headers(.json)
        ndjsonHeaders = headers(.ndjson)
        textHeaders = headers(.text)
    }

    deinit {
        curl_slist_free_all(jsonHeaders)
        curl_slist_free_all(ndjsonHeaders)
        curl_slist_free_all(textHeaders)
    }

    private func headers(_ type: HTTPRequest.ContentType) -> UnsafeMutablePointer<curl_slist>? {
        var list = curl_slist_append(nil, type.header)
        // Without this, curl waits up to a second for "100 Continue" before a body of more than 1 MiB.
        list = curl_slist_append(list, "Expect:")
        if let authorization = settings.authorization { list = curl_slist_append(list, authorization.reveal()) }
        return list
    }

    func run() {
        crossfade_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(32, settings.urls.count * 16))
        // No pipelining or multiplexing: one request a connection.
        crossfade_multi_set_long(multi, CURLMOPT_PIPELINING, 0)
        while inbox.take(into: &batch) {
            let started = !batch.isEmpty
            for submission in batch { start(submission) }
            batch.removeAll(keepingCapacity: true)
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            let finished = collect()
            // Completions may have submitted more: look before sleeping.
            if started || finished { continue }
            curl_multi_poll(multi, nil, 0, 1000, nil)
        }
        end()
    }

    private func start(_ submission: Submission) {
        guard let node = ring.next(now: monotonicNanoseconds(), excluding: submission.tried) else {
            return submission.completion(.failure(ClusterError(.unreachable, "every node was tried")))
        }
        guard let transfer = idle.popLast() ?? Transfer(settings: settings, body: inbox.buffer()) else {
            return submission.completion(
                .failure(ClusterError(.configuration, "curl has no memory for another request", retriable: true)))
        }
        let list =
            switch submission.request.contentType {
            case .json: jsonHeaders
            case .ndjson: ndjsonHeaders
            case .text: textHeaders
            }
        let url = settings.urls[node] + submission.request.path
        let code = transfer.prepare(submission, node: node, url: url, headers: list)
        guard code == CURLE_OK, curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            transfer.submission = nil
            let error = ClusterError(
                .configuration, "the request could not be set up for \(submission.request.path)",
                node: settings.shownURLs[node], underlying: transfer.explanation(code))
            idle.append(transfer)
            return submission.completion(.failure(error))
        }
        active[transfer.easy] = transfer
    }

    /// Hands over what is done; true when anything was.
    private func collect() -> Bool {
        var any = false
        while true {
            let finished = crossfade_multi_next_finished(multi)
            guard let easy = finished.easy else { return any }
            any = true
            guard let transfer = active.removeValue(forKey: easy) else { continue }
            let result = finish(transfer, finished.result)
            curl_multi_remove_handle(multi, easy)
            guard var submission = transfer.submission else { continue }
            transfer.submission = nil
            if case .failure(let error) = result, submission.request.failsOver, isConnectionFailure(error) {
                submission.tried.insert(transfer.node)
                if submission.tried.count < ring.count {
                    idle.append(transfer)
                    start(submission)
                    continue
                }
            }
            idle.append(transfer)
            submission.completion(result)
        }
    }

    private func finish(_ transfer: Transfer, _ code: CURLcode) -> Result<HTTPResponse, ClusterError> {
        guard code == CURLE_OK else {
            let error = TransportLoop.error(transfer, code, settings)
            transfer.forget()
            if isConnectionFailure(error) { ring.failed(transfer.node, now: monotonicNanoseconds()) }
            return .failure(error)
        }
        ring.succeeded(transfer.node)
        let response = HTTPResponse(
            status: transfer.status, body: transfer.body, seconds: transfer.seconds, node: transfer.node)
        transfer.body = inbox.buffer()
        return .success(response)
    }

    private func isConnectionFailure(_ error: ClusterError) -> Bool {
        switch error.code {
        case .unreachable, .tls: true
        case .timedOut: error.neverConnected
        default: false
        }
    }

    private func end() {
        for submission in batch { submission.completion(.failure(TransportInbox.closedError)) }
        batch.removeAll()
        for transfer in active.values {
            curl_multi_remove_handle(multi, transfer.easy)
            let submission = transfer.submission
            transfer.submission = nil
            submission?.completion(.failure(TransportInbox.closedError))
        }
        active.removeAll()
        // Easy handles go before the multi handle whose connections they use.
        idle.removeAll()
        inbox.finish()
    }

    private static func error(_ transfer: Transfer, _ code: CURLcode, _ settings: TransportSettings) -> ClusterError {
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
                .tooLarge, "the answer of \(node) is longer than \(transfer.answerLimit) bytes; ask for less")
        case CURLE_WRITE_ERROR, CURLE_BAD_CONTENT_ENCODING, CURLE_WEIRD_SERVER_REPLY:
            return failure(.malformedAnswer, "\(node) sent what is not a proper HTTP answer")
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
