/// The price of an attempt's pod, and the time that counts.
public struct Bill: Sendable, Codable, Equatable {
    /// US dollars for an hour of all GPUs together.
    public var price: Double
    /// Seconds for which the pod was billed before the attempt began, and which no earlier attempt counts.
    public var billedBefore: Double

    public init(price: Double, billedBefore: Double) {
        self.price = price
        self.billedBefore = billedBefore
    }

    /// Returns the cost in US dollars, `seconds` after the attempt began.
    public func cost(after seconds: Double) -> Double { price * (billedBefore + seconds) / 3600 }
}
