/// `GET /v1/health`
public struct HealthReport: Sendable, Codable, Equatable {
    public var ready: Bool
    public var version: String

    public init(ready: Bool, version: String) {
        self.ready = ready
        self.version = version
    }
}
