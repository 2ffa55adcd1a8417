internal import CCurl

/// Options that are the same for all requests of a transport.
struct CurlOptions: Sendable {
    var userAgent: String
    var trust: CurlTransport.Trust
}

/// One transfer of libcurl: an easy handle, its multi handle, and the memory that C borrows from Swift.
///
/// Belongs to one thread. Only `wake` may be called from another one, and only while the handle lives.
final class CurlHandle {
    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    /// The context of the callbacks.
    private let receiver: CurlReceiver
    private let errorText: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let label: String

    /// The global start of libcurl, once for each process.
    private static let start = curl_global_init(Int(CURL_GLOBAL_ALL))

    /// Prepares a transfer. Throws `.invalidRequest` if the request cannot be sent.
    init(_ request: HTTPRequest, _ options: CurlOptions, _ receiver: CurlReceiver) throws(HTTPError) {
        let url = try request.validated()
        guard Self.start == CURLE_OK, let easy = curl_easy_init() else { throw Self.exhausted }
        guard let multi = curl_multi_init() else {
            curl_easy_cleanup(easy)
            throw Self.exhausted
        }
        self.easy = easy
        self.multi = multi
        self.receiver = receiver
        self.label = request.label
        self.errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try setUp(request, url, options)
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else { throw Self.exhausted }
    }

    deinit {
        curl_multi_remove_handle(multi, easy)
        curl_easy_cleanup(easy)
        curl_multi_cleanup(multi)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    // MARK: Running

    /// Ends the current or the next `poll` early. Any thread may call it while the handle lives.
    var wake: @Sendable () -> Void {
        nonisolated(unsafe) let multi = multi
        return { curl_multi_wakeup(multi) }
    }

    /// Whether the request is being sent: the name is resolved, and the connection, the proxy and TLS are ready.
    var isConnected: Bool {
        var time: curl_off_t = 0
        return ccurl_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T, &time) == CURLE_OK && time > 0
    }

    /// Does the work that needs no waiting. Returns true if the transfer has succeeded.
    func perform() throws(HTTPError) -> Bool {
        var running: Int32 = 0
        try check(curl_multi_perform(multi, &running))
        var queued: Int32 = 0
        while let message = curl_multi_info_read(multi, &queued) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            try check(ccurl_result(message))
            return true
        }
        return false
    }

    /// Waits until there is work, for at most `timeout`; nil waits without a limit.
    func poll(for timeout: Duration?) throws(HTTPError) {
        // An hour stands for no limit, because the caller's loop calls again.
        let hour = 3_600_000
        try check(curl_multi_poll(multi, nil, 0, Int32(timeout?.milliseconds(atMost: hour) ?? hour), nil))
    }

    /// Continues a transfer that waited for room for the response, or for bytes of the request.
    func resume() throws(HTTPError) {
        receiver.touch()
        try check(curl_easy_pause(easy, CURLPAUSE_CONT))
    }

    // MARK: Setting up

    private func setUp(_ request: HTTPRequest, _ url: CurlURL, _ options: CurlOptions) throws(HTTPError) {
        try set(CURLOPT_ERRORBUFFER, pointer: errorText)
        // Names are resolved without SIGALRM. SIGPIPE is blocked by `startThread`.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_URL, request.url)
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try set(CURLOPT_USERAGENT, options.userAgent)
        // An empty name keeps libcurl from reading the environment.
        if url.isLoopback { try set(CURLOPT_PROXY, "") }
        // `Transfer` keeps this time. libcurl divides it among the addresses of a name.
        try set(CURLOPT_CONNECTTIMEOUT_MS, (request.timeouts.connect + .seconds(1)).milliseconds(atMost: 86_400_000))
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_TCP_KEEPIDLE, 30)
        try set(CURLOPT_TCP_KEEPINTVL, 10)
        // Four times the default, so that a fast body needs fewer system calls. Each write still brings at most 16 kB.
        try set(CURLOPT_BUFFERSIZE, 64 << 10)
        if case .pem(let certificates) = options.trust { try set(CURLOPT_CAINFO_BLOB, copying: certificates) }
        try setUpMethod(request)
        try setUpHeaders(request)
        try setUpCallbacks()
    }

    private func setUpMethod(_ request: HTTPRequest) throws(HTTPError) {
        if request.method == "HEAD" {
            try set(CURLOPT_NOBODY, 1)
        } else if let body = request.body ?? (["POST", "PUT", "PATCH"].contains(request.method) ? .bytes([]) : nil) {
            // `UPLOAD` adds no content type of libcurl. The method itself is set below.
            try set(CURLOPT_UPLOAD, 1)
            try set(CURLOPT_INFILESIZE_LARGE, offset: curl_off_t(body.length ?? -1))  // -1: in chunks
            try append("Expect:")  // no wait for a 100
        }
        try set(CURLOPT_CUSTOMREQUEST, request.method)
    }

    private func setUpHeaders(_ request: HTTPRequest) throws(HTTPError) {
        for (name, value) in request.headers {
            // "Name;" sends an empty value. "Name:" would remove the field.
            try append(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        try check(ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers))
    }

    private func setUpCallbacks() throws(HTTPError) {
        try check(
            ccurl_set_open_socket(easy) { _, _, address in
                address.map { openSocket($0.pointee) } ?? CURL_SOCKET_BAD
            }
        )
        let context = Unmanaged.passUnretained(receiver).toOpaque()
        for data in [CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_READDATA] { try set(data, pointer: context) }
        try check(
            ccurl_set_callback(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
                guard let receiver = callee(context) else { return 0 }
                return receiver.header(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
            }
        )
        try check(
            ccurl_set_callback(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                guard let receiver = callee(context) else { return 0 }
                switch receiver.body(UnsafeRawBufferPointer(start: bytes, count: size * count)) {
                case .taken: return size * count
                case .full: return Int(CURL_WRITEFUNC_PAUSE)
                case .over: return 0
                }
            }
        )
        try check(
            ccurl_set_callback(easy, CURLOPT_READFUNCTION) { buffer, size, count, context in
                guard let receiver = callee(context) else { return Int(CURL_READFUNC_ABORT) }
                switch receiver.fill(UnsafeMutableRawBufferPointer(start: buffer, count: size * count)) {
                case .bytes(let count): return count
                case .none: return Int(CURL_READFUNC_PAUSE)
                case .failed: return Int(CURL_READFUNC_ABORT)
                }
            }
        )
    }

    private func append(_ line: String) throws(HTTPError) {
        guard let longer = curl_slist_append(headers, line) else { throw Self.exhausted }
        headers = longer
    }

    private func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
        try check(ccurl_set_long(easy, option, value))
    }

    private func set(_ option: CURLoption, offset: curl_off_t) throws(HTTPError) {
        try check(ccurl_set_offset(easy, option, offset))
    }

    private func set(_ option: CURLoption, _ value: String) throws(HTTPError) {
        try check(ccurl_set_string(easy, option, value))
    }

    private func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer) throws(HTTPError) {
        try check(ccurl_set_pointer(easy, option, pointer))
    }

    private func set(_ option: CURLoption, copying bytes: [UInt8]) throws(HTTPError) {
        var bytes = bytes
        let code = bytes.withUnsafeMutableBytes { bytes in
            var blob = curl_blob(data: bytes.baseAddress, len: bytes.count, flags: UInt32(CURL_BLOB_COPY))
            return ccurl_set_blob(easy, option, &blob)
        }
        try check(code)
    }

    // MARK: Errors

    private static let exhausted = HTTPError(.outOfResources, "libcurl could not start a transfer")

    private func check(_ code: CURLcode) throws(HTTPError) {
        guard code != CURLE_OK else { return }
        // The error of a callback explains more than libcurl's "failed writing".
        if let error = receiver.error { throw error }
        let said = String(cString: errorText)
        throw HTTPError(code, said.isEmpty ? String(cString: curl_easy_strerror(code)) : said, of: label)
    }

    private func check(_ code: CURLMcode) throws(HTTPError) {
        guard code != CURLM_OK else { return }
        throw HTTPError(.outOfResources, "libcurl: \(String(cString: curl_multi_strerror(code)))")
    }
}

/// Returns the receiver, which is the context of each callback. Its `CurlHandle` keeps it alive.
private func callee(_ context: UnsafeMutableRawPointer?) -> CurlReceiver? {
    context.map { Unmanaged<CurlReceiver>.fromOpaque($0).takeUnretainedValue() }
}

extension Duration {
    /// Milliseconds from 0 to `limit`, rounded up, so that a wait never ends early.
    fileprivate func milliseconds(atMost limit: Int) -> Int {
        let (seconds, attoseconds) = components
        guard self > .zero else { return 0 }
        guard seconds < limit / 1000 else { return limit }
        return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
