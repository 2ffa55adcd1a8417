internal import NIOHTTP1
internal import Shared

/// Why the head of a request lets it in.
enum Admission {
    /// It carries the launch's token.
    case token
    /// Anyone may ask.
    case open
}

extension RouteTable {
    /// Judges a request by its head.
    func admit(_ head: HTTPRequestHead) throws(APIError) -> Admission {
        try checkForm(head)
        if isOpen(head) { return .open }
        let tokens = head.headers.tokens
        guard !tokens.isEmpty else {
            throw APIError(.unauthorized, "no token", hint: "send it as \"Authorization: Bearer …\"")
        }
        // A proxy may add a header of its own, so one right token among several lets in.
        guard tokens.contains(where: { SHA256Digest(of: $0).matches(tokenDigest) }) else {
            throw APIError(.unauthorized, "the token is not this launch's")
        }
        return .token
    }

    /// RFC 9112, section 3.2: one Host in each request of HTTP/1.1. RFC 9110, section 10.1.1: an expectation that the
    /// server does not know is refused.
    private func checkForm(_ head: HTTPRequestHead) throws(APIError) {
        let hosts = head.headers["Host"].count
        guard hosts == 1 || hosts == 0 && head.version == .http1_0 else {
            throw APIError(.badRequest, "a request has one Host header, this one has \(hosts)")
        }
        if let other = head.headers["Expect"].first(where: { $0.lowercased() != "100-continue" }) {
            throw APIError(.expectationFailed, "the agent does not know \"Expect: \(other)\"")
        }
    }
}

extension HTTPHeaders {
    /// The tokens in all headers that may carry one. The scheme's case does not count, RFC 9110, section 11.1.
    fileprivate var tokens: [String] {
        let bearers = self["Authorization"].compactMap { value -> String? in
            guard value.lowercased().hasPrefix("bearer ") else { return nil }
            return String(value.dropFirst(7))
        }
        return bearers + self[APIHeader.token]
    }
}
