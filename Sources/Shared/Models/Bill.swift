/// What an attempt's pod costs, and since when.
public struct Bill: Sendable, Codable, Equatable {
    /// US dollars for an hour of all GPUs together.
    public var price: Double
    /// For how long the pod was paid for before the attempt began, beyond what an earlier attempt has on its own bill; in seconds.
    public var billedBefore: Double

    public init(price: Double, billedBefore: Double) {
        self.price = price
        self.billedBefore = billedBefore
    }

    /// In US dollars, `seconds` after the attempt began.
    public func cost(after seconds: Double) -> Double { price * (billedBefore + seconds) / 3600 }
}
