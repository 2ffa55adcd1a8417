internal import CCurl

/// A URL as libcurl understands it, taken apart.
struct CurlURL {
    let scheme: String
    let host: String
    /// Nil when it is the scheme's own.
    let port: String?
    let path: String

    /// Nil when libcurl would not take it.
    init?(_ text: String) {
        guard let handle = curl_url() else { return nil }
        defer { curl_url_cleanup(handle) }
        // Schemes we do not speak are parsed too, so that they can be named in the error.
        guard curl_url_set(handle, CURLUPART_URL, text, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: handle)
        else { return nil }
        self.scheme = scheme
        host = Self.part(CURLUPART_HOST, of: handle) ?? ""
        port = Self.part(CURLUPART_PORT, of: handle)
        path = Self.part(CURLUPART_PATH, of: handle) ?? "/"
    }

    /// Leads back to this machine whatever the name server says.
    var isLoopback: Bool {
        let host = host.lowercased()
        return host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]"
            || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
    }

    /// Without what may be secret: user, password, query and fragment.
    var label: String { origin + path }

    var origin: String { "\(scheme)://\(host)\(port.map { ":" + $0 } ?? "")" }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
