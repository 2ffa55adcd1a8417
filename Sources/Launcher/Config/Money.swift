/// US dollars, exactly: prices of providers have up to five decimals.
struct Money: Sendable, Hashable, Comparable {
    /// Millionths of a dollar.
    var micros: Int

    /// `2`, `2.50` or `$2.50`.
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
        micros = dollars * 1_000_000 + fraction
    }

    var dollars: Double { Double(micros) / 1_000_000 }

    static func < (left: Money, right: Money) -> Bool { left.micros < right.micros }
}
