/// US dollars as text.
public enum Dollars {
    /// Returns `12.50 USD`. An amount below ten cents has four decimals: `0.0042 USD`.
    public static func text(_ amount: Double) -> String {
        let decimals = abs(amount) < 0.1 && amount != 0 ? 4 : 2
        let scale = decimals == 4 ? 10_000 : 100
        let units = Int((min(abs(amount), 1e12) * Double(scale)).rounded())
        return "\(amount < 0 ? "-" : "")\(units / scale).\(String(units % scale, width: decimals)) USD"
    }
}
