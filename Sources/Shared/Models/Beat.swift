#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A heartbeat, `attempts/NNNN.beat`. That it changes is what says that the owner lives.
public struct Beat: Sendable, Codable, Equatable {
    public var count: Int
    public var at: Date
    /// How long the attempt has lasted, on a monotonic clock.
    public var seconds: Double
    /// The last step that the training told of.
    public var step: Double?

    public init(count: Int, at: Date, seconds: Double, step: Double?) {
        self.count = count
        self.at = at
        self.seconds = seconds
        self.step = step
    }
}
