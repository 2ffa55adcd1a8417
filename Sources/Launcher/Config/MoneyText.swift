internal import Shared

extension Money {
    /// Reads `2`, `2.50` or `$2.50`.
    init?(written text: String) {
        let number = text.hasPrefix("$") ? text.dropFirst() : text[...]
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isASCIIDigit) }),
            let dollars = parts.first.flatMap({ Int($0) }),
            dollars < 1_000_000_000
        else { return nil }
        let decimals = parts.count == 2 ? parts[1] : ""
        guard decimals.count <= 6, let fraction = Int(decimals + String(repeating: "0", count: 6 - decimals.count))
        else { return nil }
        self.init(micros: dollars * 1_000_000 + fraction)
    }
}
