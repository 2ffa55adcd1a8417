/// When a training that failed is tried again.
public struct RetryPolicy: Sendable, Codable, Equatable {
    /// Tries on the same pod after a failure without progress; nil if they are unlimited.
    @Unlimited public var crash: Int? = 2
    /// Tries after a pod was taken away; nil if they are unlimited.
    @Unlimited public var preempted: Int? = nil
    /// The pause before the first try. It doubles from one try to the next.
    @Seconds public var backoff: Duration = .seconds(10)

    public init() {}

    public init(crash: Int?, backoff: Duration? = nil) {
        self.crash = crash
        if let backoff { self.backoff = backoff }
    }
}
