#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A heartbeat, `attempts/NNNN.beat`. The owner of the run is alive while its beats change.
public struct Beat: Sendable, Codable, Equatable {
    public var count: Int
    public var at: Date
    /// The duration of the attempt by a monotonic clock, in seconds.
    public var seconds: Double
    /// The last step that the training reported.
    public var step: Double?

    public init(count: Int, at: Date, seconds: Double, step: Double?) {
        self.count = count
        self.at = at
        self.seconds = seconds
        self.step = step
    }
}
