/// The size of a log segment and of the whole log. In bytes.
public struct LogRule: Sendable, Codable, Equatable {
    /// The next segment begins after about so many bytes, at the end of a line if one is near.
    public var segment = 8 << 20
    /// All compressed segments together. The oldest are deleted first.
    public var keep = 4 << 30

    public init() {}

    public init(segment: Int, keep: Int? = nil) {
        self.segment = segment
        if let keep { self.keep = keep }
    }
}
