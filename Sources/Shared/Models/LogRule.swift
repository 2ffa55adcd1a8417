/// How much of a run's log is in one file, and how much of it is kept. In bytes.
public struct LogRule: Sendable, Codable, Equatable {
    /// After about so much, at the end of a line where one is near, the next segment begins.
    public var segment: Int
    /// Compressed segments together; the oldest go first.
    public var keep: Int

    public init(segment: Int = 8 << 20, keep: Int = 4 << 30) {
        self.segment = segment
        self.keep = keep
    }
}
