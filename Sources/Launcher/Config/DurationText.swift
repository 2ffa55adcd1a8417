extension Duration {
    /// Reads `10s`, `30m`, `2h`, `1d`, or several units in falling order: `1h30m`. Numbers are whole; spaces are wrong.
    init?(written text: String) {
        let units: [(name: Character, seconds: Int64)] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]
        var total: Int64 = 0
        var rest = text[...]
        for unit in units {
            guard let end = rest.firstIndex(where: { !$0.isASCIIDigit }), rest[end] == unit.name,
                let count = Int64(rest[..<end])
            else { continue }
            let (seconds, tooMany) = count.multipliedReportingOverflow(by: unit.seconds)
            let (sum, tooLong) = total.addingReportingOverflow(seconds)
            if tooMany || tooLong { return nil }
            total = sum
            rest = rest[rest.index(after: end)...]
        }
        guard rest.isEmpty, !text.isEmpty else { return nil }
        self = .seconds(total)
    }
}

extension Character {
    var isASCIIDigit: Bool { isASCII && isWholeNumber }
}
