internal import Shared

/// Amounts of data as people write them.
enum SizeText {
    /// Bytes of `8MB`, `512 kB`, `4GB`; a unit is 1024 of the one before, and `MiB` is the same as `MB`.
    static func bytes(_ text: String) -> Int? {
        let units: [String: Int] = ["B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40]
        guard let (count, unit) = split(text), let size = units[unit.uppercased().replacing("IB", with: "B")] else {
            return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        return overflow ? nil : bytes
    }

    /// Whole gigabytes as a provider counts them: `50`, `50GB`, `50 GB`.
    static func gigabytes(_ text: String) -> Int? {
        guard let (count, unit) = split(text), ["", "GB"].contains(unit.uppercased()) else { return nil }
        return count
    }

    private static func split(_ text: String) -> (count: Int, unit: String)? {
        let digits = text.prefix { $0.isASCIIDigit }
        guard let count = Int(digits) else { return nil }
        let unit = text.dropFirst(digits.count)
        return (count, unit.hasPrefix(" ") ? String(unit.dropFirst()) : String(unit))
    }
}
