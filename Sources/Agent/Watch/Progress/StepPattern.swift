internal import Shared

/// The user's own regular expression for the step, `progress` in the config.
///
/// A compiled expression never changes; it is only not marked as sendable.
struct StepPattern: @unchecked Sendable {
    private let expression: Regex<AnyRegexOutput>

    init(_ pattern: String) throws(Problem) {
        do {
            expression = try Regex(pattern)
        } catch {
            throw Problem("\"\(pattern)\" is not a regular expression: \(error)")
        }
    }

    /// The number in the first group; nil if the line does not match or the group holds none.
    func step(in line: [UInt8]) -> Double? {
        guard let match = try? expression.firstMatch(in: line.text), match.output.count > 1,
            let group = match.output[1].substring
        else { return nil }
        return Double(group.filter { $0 != "," && $0 != "_" })
    }
}
