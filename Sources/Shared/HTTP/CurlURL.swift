internal import CCurl

/// A URL in its parts, as libcurl parses it.
struct CurlURL {
    let scheme: String
    let host: String
    /// nil if it is the scheme's default.
    let port: String?
    let path: String

    /// nil if libcurl does not accept `text`.
    init?(_ text: String) {
        guard let handle = curl_url() else { return nil }
        defer { curl_url_cleanup(handle) }
        // Unsupported schemes are parsed too, so that errors can name them.
        guard curl_url_set(handle, CURLUPART_URL, text, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: handle)
        else { return nil }
        self.scheme = scheme
        host = Self.part(CURLUPART_HOST, of: handle) ?? ""
        port = Self.part(CURLUPART_PORT, of: handle)
        path = Self.part(CURLUPART_PATH, of: handle) ?? "/"
    }

    /// Whether the host is this machine, whatever the name server answers.
    var isLoopback: Bool {
        let host = host.lowercased()
        return host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]"
            || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
    }

    /// The URL without the parts that may be secret: user, password, query and fragment.
    var label: String { origin + path }

    var origin: String { "\(scheme)://\(host)\(port.map { ":" + $0 } ?? "")" }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
