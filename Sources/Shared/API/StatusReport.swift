/// `GET /v1/status`
public struct StatusReport: Sendable, Codable, Equatable {
    public var version: String
    public var attempt: AttemptRecord
    /// Offset after the last byte of the log.
    public var logEnd: Int
    public var logDurable: Int
    /// The reason why the log is not completely on the volume; nil if it is.
    public var logTrouble: String?

    public init(version: String, attempt: AttemptRecord, logEnd: Int, logDurable: Int, logTrouble: String? = nil) {
        self.version = version
        self.attempt = attempt
        self.logEnd = logEnd
        self.logDurable = logDurable
        self.logTrouble = logTrouble
    }
}
