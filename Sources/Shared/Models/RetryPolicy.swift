/// When a training that failed is tried again on the same pod.
public struct RetryPolicy: Sendable, Codable, Equatable {
    /// Tries after a failure without progress; nil: without end.
    public var crash: Int?
    /// The pause before the first of them, in seconds. It doubles from one to the next.
    public var backoff: Double

    public init(crash: Int? = 2, backoff: Double = 10) {
        self.crash = crash
        self.backoff = backoff
    }
}
