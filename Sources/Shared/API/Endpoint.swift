/// The agent's API, declared once for the server and the client.
public enum Endpoint {
    public static let health = "/v1/health"
    public static let status = "/v1/status"
    public static let log = "/v1/log"
    public static let events = "/v1/events"
    public static let checkpoints = "/v1/checkpoints"
    public static let stop = "/v1/stop"
    /// The volume's files: a path below its root follows.
    public static let files = "/v1/files"
    /// Packed code: its SHA-256 in hexadecimal follows.
    public static let code = "/v1/code"

    /// The path of a file or folder of the volume, `path` being relative to its root.
    public static func file(_ path: String) -> String { "\(files)/\(path.percentEncodedPath)" }

    public static func code(_ sha256: SHA256Digest) -> String { "\(code)/\(sha256)" }
}

/// Header names beyond those of HTTP itself.
public enum APIHeader {
    /// The agent's version. Every answer of an agent has it, and no answer of a proxy in front of it.
    public static let agent = "X-Pod-Agent"
    /// Another way to present the token, for proxies that keep `Authorization` to themselves.
    public static let token = "X-Pod-Agent-Token"
    /// Offset of the first byte of a response that is no range; with 409 and 410, where to go on.
    public static let logOffset = "X-Log-Offset"
    /// Names the attempt whose bytes are being appended.
    public static let logStream = "X-Log-Stream"
    /// Every byte before this offset is on stable storage.
    public static let logDurable = "X-Log-Durable"
    /// Why the log is not on the volume as it should be. Only there while it is not.
    public static let logTrouble = "X-Log-Trouble"
    /// `file` or `folder`.
    public static let entryKind = "X-Entry-Kind"
    /// Bytes of an upload that the volume has: where the client resumes.
    public static let uploadOffset = "X-Upload-Offset"
}
