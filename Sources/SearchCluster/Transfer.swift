import Basics
import CLibcurl
import JSONText

/// One easy handle of curl with the request that it carries. It is used again for the next request. Only the
/// transport's thread touches it.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    /// curl writes the text of an error here.
    private let reason: UnsafeMutablePointer<CChar>
    private let longestAnswer: Int
    private let keptBytes: Int
    /// The most bytes that the answer to the present request may have.
    private(set) var answerLimit: Int
    var body: ByteBuffer
    /// Nil when the handle is idle.
    var submission: Submission?
    var node = 0
    private(set) var overflowed = false

    init?(settings: TransportSettings, body: ByteBuffer) {
        guard let easy = curl_easy_init() else { return nil }
        (self.easy, self.body) = (easy, body)
        longestAnswer = settings.limits.answerBytes
        keptBytes = settings.limits.pooledBufferBytes
        answerLimit = longestAnswer
        reason = .allocate(capacity: Int(CURL_ERROR_SIZE))
        reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setConstants(settings)
    }

    deinit {
        curl_easy_cleanup(easy)
        reason.deallocate()
    }

    /// Sets the options that are the same for all requests.
    private func setConstants(_ settings: TransportSettings) {
        // Unretained: the loop keeps every transfer in a list as long as curl uses its handle.
        let own = CallbackContext.borrowed(self)
        crossfade_easy_set_pointer(easy, CURLOPT_PRIVATE, own)
        crossfade_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, reason)
        crossfade_easy_set_write(
            easy,
            { data, size, count, context in
                guard let data, let transfer = CallbackContext.object(context, as: Transfer.self) else { return 0 }
                let length = size &* count
                return transfer.append(data, length) ? length : 0
            }, own)
        crossfade_easy_set_long(easy, CURLOPT_NOSIGNAL, 1)
        crossfade_easy_set_long(easy, CURLOPT_NOPROGRESS, 1)
        crossfade_easy_set_long(easy, CURLOPT_TCP_NODELAY, 1)
        crossfade_easy_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        crossfade_easy_set_long(easy, CURLOPT_TCP_KEEPIDLE, 30)
        crossfade_easy_set_long(easy, CURLOPT_TCP_KEEPINTVL, 15)
        // Many load balancers cut a connection that is idle for 60 s.
        crossfade_easy_set_long(easy, CURLOPT_MAXAGE_CONN, 50)
        crossfade_easy_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        crossfade_easy_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        // A proxy that the environment names is for the internet, not for the cluster; the recipe may name one. No
        // password comes from ~/.netrc.
        crossfade_easy_set_string(easy, CURLOPT_PROXY, settings.proxy)
        crossfade_easy_set_string(easy, CURLOPT_NOPROXY, "")
        crossfade_easy_set_long(easy, CURLOPT_NETRC, 0)  // CURL_NETRC_IGNORED
        // HTTP/2 would put all bulk requests on one connection; the servers speak 1.1.
        crossfade_easy_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        crossfade_easy_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1)
        crossfade_easy_set_long(easy, CURLOPT_LOW_SPEED_TIME, settings.limits.stallSeconds)
        crossfade_easy_set_long(easy, CURLOPT_BUFFERSIZE, 128 << 10)
        crossfade_easy_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, 512 << 10)
        crossfade_easy_set_string(easy, CURLOPT_USERAGENT, "crossfade")
        if let user = settings.user, let password = settings.password {
            crossfade_easy_set_long(easy, CURLOPT_HTTPAUTH, Int(bitPattern: 1))  // CURLAUTH_BASIC
            crossfade_easy_set_string(easy, CURLOPT_USERNAME, user)
            crossfade_easy_set_string(easy, CURLOPT_PASSWORD, password.reveal())
        }
        if let caFile = settings.caFile { crossfade_easy_set_string(easy, CURLOPT_CAINFO, caFile) }
        crossfade_easy_set_string(easy, CURLOPT_CAPATH, settings.caFolder)
        if let certificate = settings.certificate {
            crossfade_easy_set_string(easy, CURLOPT_SSLCERT, certificate.file)
            crossfade_easy_set_string(easy, CURLOPT_SSLKEY, certificate.key)
            // Without one, OpenSSL would ask for it at the terminal.
            crossfade_easy_set_string(easy, CURLOPT_KEYPASSWD, certificate.keyPassword?.reveal() ?? "")
        }
        crossfade_easy_set_long(easy, CURLOPT_SSL_VERIFYPEER, settings.verifyTLS ? 1 : 0)
        crossfade_easy_set_long(easy, CURLOPT_SSL_VERIFYHOST, settings.verifyTLS ? 2 : 0)
    }

    /// Prepares the handle for a request. `headers` must outlive the transfer.
    func prepare(
        _ submission: Submission, node: Int, url: String, headers: UnsafeMutablePointer<curl_slist>?
    ) -> CURLcode {
        (self.submission, self.node) = (submission, node)
        overflowed = false
        body.removeAll()
        answerLimit = min(longestAnswer, submission.request.answerBytes ?? longestAnswer)
        reason[0] = 0
        let request = submission.request
        let code = crossfade_easy_set_string(easy, CURLOPT_URL, url)
        guard code == CURLE_OK else { return code }
        crossfade_easy_set_list(easy, CURLOPT_HTTPHEADER, headers)
        crossfade_easy_set_long(easy, CURLOPT_TIMEOUT_MS, milliseconds(request.timeoutSeconds))
        crossfade_easy_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connectTimeoutSeconds))
        crossfade_easy_set_string(easy, CURLOPT_ACCEPT_ENCODING, request.acceptsCompression ? "" : nil)
        return setMethod(request)
    }

    private func setMethod(_ request: HTTPRequest) -> CURLcode {
        crossfade_easy_set_long(easy, CURLOPT_NOBODY, 0)
        switch (request.method, request.body) {
        case (.head, _):
            crossfade_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, nil)
            return crossfade_easy_set_long(easy, CURLOPT_NOBODY, 1)
        case (.get, .none), (.delete, .none):
            crossfade_easy_set_long(easy, CURLOPT_HTTPGET, 1)
            return setName(request.method, natural: .get)
        case (_, .none):
            crossfade_easy_set_long(easy, CURLOPT_POST, 1)
            // The pointer must not be null: then curl would read the body from a callback. The length is 0.
            crossfade_easy_set_pointer(easy, CURLOPT_POSTFIELDS, reason)
            crossfade_easy_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, 0)
        case (_, .buffer(let buffer)):
            crossfade_easy_set_long(easy, CURLOPT_POST, 1)
            crossfade_easy_set_pointer(easy, CURLOPT_POSTFIELDS, buffer.base)
            crossfade_easy_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, Int(buffer.count))
        }
        return setName(request.method, natural: .post)
    }

    private func setName(_ method: HTTPRequest.Method, natural: HTTPRequest.Method) -> CURLcode {
        crossfade_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, method == natural ? nil : method.rawValue)
    }

    private func append(_ data: UnsafeMutablePointer<CChar>, _ length: Int) -> Bool {
        guard length <= answerLimit - body.count else {
            overflowed = true
            return false
        }
        data.withMemoryRebound(to: UInt8.self, capacity: length) { body.append($0, length) }
        return true
    }

    private func milliseconds(_ seconds: Double) -> Int {
        guard seconds.isFinite, seconds > 0 else { return 60_000 }
        return Int(min(seconds, 86_400) * 1000)
    }

    var status: Int { crossfade_easy_get_long(easy, CURLINFO_RESPONSE_CODE) }

    var seconds: Double { Double(crossfade_easy_get_offset(easy, CURLINFO_TOTAL_TIME_T)) / 1_000_000 }

    /// Whether there was no connection, with TLS no finished handshake.
    var neverConnected: Bool { crossfade_easy_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T) == 0 }

    /// Drops the part of an answer that has come. A large buffer is freed.
    func forget() { body.removeAll(keepingAtMost: keptBytes) }

    /// curl's text for the error, or at least its name for the code.
    func explanation(_ code: CURLcode) -> String {
        if reason[0] != 0 { return String(cString: reason) }
        return curl_easy_strerror(code).map { String(cString: $0) } ?? "curl code \(code.rawValue)"
    }
}
