/// The agent's API, declared once for the server and the client.
public enum Endpoint {
    public static let health = "/v1/health"
    public static let status = "/v1/status"
    public static let log = "/v1/log"
    public static let events = "/v1/events"
    public static let checkpoints = "/v1/checkpoints"
    public static let stop = "/v1/stop"
    /// The path of the volume's files. A path below the volume's root follows it.
    public static let files = "/v1/files"
    /// The path of packed code. Its SHA-256 in hexadecimal follows it.
    public static let code = "/v1/code"

    /// Returns the path of a file or folder of the volume. `path` is relative to the volume's root.
    public static func file(_ path: String) -> String { "\(files)/\(path.percentEncodedPath)" }

    /// The checkpoints that lie on the volume of a run: a list of `ListedCheckpoint`.
    public static func checkpoints(of run: RunID) -> String { "\(checkpoints)/\(run)" }

    public static func code(_ sha256: SHA256Digest) -> String { "\(code)/\(sha256)" }
}

/// Header names beyond those of HTTP itself.
public enum APIHeader {
    /// The agent's version. Each answer of an agent has it; an answer of a proxy does not.
    public static let agent = "X-Pod-Agent"
    /// Another header for the token, because some proxies do not pass on `Authorization`.
    public static let token = "X-Pod-Agent-Token"
    /// The offset of the first byte of a response without a range. With 409 and 410 the offset at which to continue.
    public static let logOffset = "X-Log-Offset"
    /// The stream of the attempt whose bytes are appended now.
    public static let logStream = "X-Log-Stream"
    /// Every byte before this offset is on stable storage.
    public static let logDurable = "X-Log-Durable"
    /// The reason why the log is not completely on the volume. Absent if it is.
    public static let logTrouble = "X-Log-Trouble"
    /// `file` or `folder`.
    public static let entryKind = "X-Entry-Kind"
    /// Bytes of an upload that the volume has. The client resumes there.
    public static let uploadOffset = "X-Upload-Offset"
}
