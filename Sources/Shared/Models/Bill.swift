/// What an attempt's pod costs, and since when.
public struct Bill: Sendable, Codable, Equatable {
    /// US dollars for an hour of all GPUs together.
    public var price: Double
    /// For how long the pod was paid for before the attempt began, beyond what an earlier attempt has on its own bill; in seconds.
    public var lead: Double

    public init(price: Double, lead: Double) {
        self.price = price
        self.lead = lead
    }

    /// In US dollars, `seconds` after the attempt began.
    public func cost(after seconds: Double) -> Double { price * (lead + seconds) / 3600 }
}

/// US dollars for a person.
public enum Dollars {
    /// `12.50 USD`; an amount below a dime with four decimals: `0.0042 USD`.
    public static func text(_ amount: Double) -> String {
        let decimals = abs(amount) < 0.1 && amount != 0 ? 4 : 2
        let scale = decimals == 4 ? 10_000 : 100
        let units = Int((min(abs(amount), 1e12) * Double(scale)).rounded())
        return "\(amount < 0 ? "-" : "")\(units / scale).\(String(units % scale, width: decimals)) USD"
    }
}
