extension HTTPRequest {
    /// The name of the request in errors: its URL without the parts that may be secret.
    public var label: String {
        guard let parsed = CurlURL(url) else {
            return isPathSecret ? "…" : String(url.prefix { $0 != "?" && $0 != "#" })
        }
        return isPathSecret ? parsed.origin : parsed.label
    }

    /// Returns the URL in its parts. Throws `.invalidRequest` for input that libcurl would send wrongly or refuse late,
    /// such as a header that contains another one.
    func validated() throws(HTTPError) -> CurlURL {
        guard !url.utf8.contains(0), let parsed = CurlURL(url) else {
            throw HTTPError(.invalidRequest, "\"\(label)\" is not a URL", hint: "write it as https://host/path")
        }
        guard ["http", "https"].contains(parsed.scheme.lowercased()) else {
            throw HTTPError(
                .invalidRequest, "\"\(parsed.scheme)\" in \"\(label)\" is not a way to send a request",
                hint: "use http or https")
        }
        guard Self.isToken(method) else {
            throw HTTPError(.invalidRequest, "\"\(method)\" is not a method")
        }
        guard method != "HEAD" || body == nil else {
            throw HTTPError(.invalidRequest, "a HEAD request to \"\(label)\" has no body")
        }
        for (name, value) in headers {
            guard Self.isToken(name) else {
                throw HTTPError(.invalidRequest, "\"\(name)\" is not a name for a header")
            }
            // The value may be a key, so the error does not show it.
            guard !value.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) else {
                throw HTTPError(.invalidRequest, "the header \"\(name)\" holds a line end")
            }
        }
        return parsed
    }

    /// RFC 9110, 5.6.2
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
