internal import Shared

/// Amounts of data in the form that people write.
enum SizeText {
    /// The bytes of a text such as `8MB`, `512 kB` or `4GB`. Each unit is 1024 of the smaller one; `MiB` equals `MB`.
    static func bytes(_ text: String) -> Int? {
        let prefixes: [String: Int] = ["": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        guard let (count, unit) = split(text.uppercased()), unit.last == "B" else { return nil }
        let isBinary = unit.count == 3 && unit.hasSuffix("IB")
        guard let size = prefixes[String(unit.dropLast(isBinary ? 2 : 1))] else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        return overflow ? nil : bytes
    }

    /// The gigabytes of a text such as `50`, `50GB` or `50 GB`, as a provider counts them.
    static func gigabytes(_ text: String) -> Int? {
        guard let (count, unit) = split(text), ["", "GB"].contains(unit.uppercased()) else { return nil }
        return count
    }

    private static func split(_ text: String) -> (count: Int, unit: String)? {
        let digits = text.prefix { $0.isASCIIDigit }
        guard let count = Int(digits) else { return nil }
        let unit = text.dropFirst(digits.count)
        if unit == " " { return nil }
        return (count, String(unit.first == " " ? unit.dropFirst() : unit))
    }
}
