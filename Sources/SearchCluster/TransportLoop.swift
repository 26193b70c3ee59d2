import CLibcurl
import JSONText
import Runtime

/// The work of the transport's thread. It owns the multi handle and every easy handle, and stays on that thread.
final class TransportLoop {
    private let settings: TransportSettings
    private let inbox: TransportInbox
    private let multi: UnsafeMutableRawPointer
    private var ring: NodeRing
    private var idle: [Transfer] = []
    /// The transfers under way, by easy handle. This keeps them alive; curl holds only an unretained pointer.
    private var active: [UnsafeMutableRawPointer: Transfer] = [:]
    private var batch: [Submission] = []
    /// One list of headers per content type. All nodes use it, because they share the credentials.
    private var jsonHeaders: UnsafeMutablePointer<curl_slist>?
    private var ndjsonHeaders: UnsafeMutablePointer<curl_slist>?
    private var textHeaders: UnsafeMutablePointer<curl_slist>?

    init(settings: TransportSettings, inbox: TransportInbox) {
        (self.settings, self.inbox) = (settings, inbox)
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
        // Without this, curl waits up to a second for "100 Continue" before it sends a body of more than 1 MiB.
        list = curl_slist_append(list, "Expect:")
        if let authorization = settings.authorization { list = curl_slist_append(list, authorization.reveal()) }
        return list
    }

    func run() {
        crossfade_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(32, settings.urls.count * 16))
        // No multiplexing: one request per connection.
        crossfade_multi_set_long(multi, CURLMOPT_PIPELINING, 0)
        while inbox.take(into: &batch) {
            let started = !batch.isEmpty
            for submission in batch { start(submission) }
            batch.removeAll(keepingCapacity: true)
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            let finished = collect()
            // A completion may have submitted more requests, so look again before sleeping.
            if started || finished { continue }
            curl_multi_poll(multi, nil, 0, 1000, nil)
        }
        end()
    }

    private func start(_ submission: Submission) {
        let isOnce = !submission.request.failsOver
        guard let node = ring.next(now: MonotonicClock.nanoseconds(), excluding: submission.tried, isOnce: isOnce)
        else {
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

    /// Calls the completions of finished requests. True when there was one.
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
            if case .failure(let error) = result, goesToAnotherNode(submission.request, after: error) {
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
            // A node that hangs takes connections and never answers.
            if isConnectionFailure(error) || error.code == .timedOut {
                ring.failed(
                    transfer.node, now: MonotonicClock.nanoseconds(),
                    hangs: error.code == .timedOut && !error.neverConnected)
            }
            return .failure(error)
        }
        ring.succeeded(transfer.node)
        let response = HTTPResponse(
            status: transfer.status, body: transfer.body, seconds: transfer.seconds, node: transfer.node)
        transfer.body = inbox.buffer()
        return .success(response)
    }

    /// What a node did not answer in time, another one may. Searches and scrolls are left to their callers, which know
    /// whether the time was too short.
    private func goesToAnotherNode(_ request: HTTPRequest, after error: ClusterError) -> Bool {
        guard request.failsOver else { return false }
        let isShort = request.method == .get || request.method == .head
        return isConnectionFailure(error) || isShort && error.code == .timedOut
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
        // Easy handles must be freed before the multi handle, whose connections they use.
        idle.removeAll()
        inbox.finish()
    }
}
