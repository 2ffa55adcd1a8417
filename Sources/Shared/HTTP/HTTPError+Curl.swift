internal import CCurl

extension HTTPError {
    /// Translates a code of libcurl-errors(3). `detail` is libcurl's own text. `label` is the URL without its secret
    /// parts.
    init(_ code: CURLcode, _ detail: String, of label: String) {
        let (kind, doing, hint) = Self.meaning(of: code)
        self.init(kind, "\(doing) \"\(label)\": \(detail)", hint: hint, curlCode: Int32(code.rawValue))
    }

    private static func meaning(of code: CURLcode) -> (Code, doing: String, hint: String?) {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            (.unreachable, "could not reach", "check the host's name and the network")
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY:
            (.unreachable, "could not reach", "check the proxy in http_proxy, https_proxy or all_proxy")
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED:
            (.unreachable, "could not reach", "check that the server runs and the network is up")
        case CURLE_OPERATION_TIMEDOUT:
            (.timedOut, "could not reach", "check the network, or try again later")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            (.tls, "could not trust", "check this machine's clock and its certificate authorities")
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED,
            CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CRL_BADFILE,
            CURLE_SSL_SHUTDOWN_FAILED:
            (.tls, "could not speak TLS with", "check that the port speaks https")
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            (.interrupted, "lost the connection to", nil)
        case CURLE_URL_MALFORMAT, CURLE_BAD_FUNCTION_ARGUMENT:
            (.invalidRequest, "could not send a request to", nil)
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT:
            (.outOfResources, "could not send a request to", nil)
        // The scheme was checked before. So `CURLE_UNSUPPORTED_PROTOCOL` is about the answer: an unknown version of
        // HTTP, or no HTTP.
        default:
            (.protocolError, "could not understand", nil)
        }
    }
}
