internal import Shared

/// Tells from pip's own log whether an installation failed because of the network.
enum NetworkFault {
    /// Texts of pip and of its HTTP library about connections. An older pip takes a wheel that was cut off for an
    /// invalid one. The last texts are answers of a busy server.
    private static let marks = [
        "Connection broken", "Connection aborted", "Connection reset", "Connection refused", "Read timed out",
        "ReadTimeoutError", "ConnectTimeoutError", "NewConnectionError", "IncompleteRead", "RemoteDisconnected",
        "InvalidWheel", "Temporary failure in name resolution", "Could not resolve host", "unexpected EOF", "early EOF",
        "too many 429 error", "too many 500 error", "too many 502 error", "too many 503 error", "too many 504 error",
        "429 Client Error", "500 Server Error", "502 Server Error", "503 Server Error", "504 Server Error",
    ]

    /// Whether the log's end speaks of the network. The path is that of the log.
    static func isIn(logAt path: String) -> Bool {
        let size = File.status(path)?.size ?? 0
        let end = try? File.read(path, at: max(0, size - maxRead), limit: maxRead).text
        return end.map { text in marks.contains(where: text.contains) } ?? false
    }

    /// In bytes. A traceback of pip has some ten kilobytes.
    private static let maxRead = 128 << 10
}
