/// US dollars, exactly: prices of providers have up to five decimals. In JSON a number of dollars.
public struct Money: Sendable, Hashable, Comparable {
    /// Millionths of a dollar.
    public var micros: Int

    public init(micros: Int) { self.micros = micros }

    /// To the nearest millionth. nil if it is no amount that `Int` holds.
    public init?(dollars: Double) {
        guard let micros = Int(exactly: (dollars * 1_000_000).rounded()) else { return nil }
        self.micros = micros
    }

    public var dollars: Double { Double(micros) / 1_000_000 }

    public static func < (left: Money, right: Money) -> Bool { left.micros < right.micros }
}

extension Money: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let money = Money(dollars: try container.decode(Double.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an amount of money")
        }
        self = money
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(dollars)
    }
}
