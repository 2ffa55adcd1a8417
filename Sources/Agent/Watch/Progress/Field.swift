internal import Shared

/// A quantity with the words that stand before it: `step: 120`, `Epoch [3]`, `| total_timesteps | 152 |`.
struct Field {
    /// In lower case, with single spaces for `_`, `-` and `/`: `global step`. Empty if no word stands before it.
    var label: String
    var quantity: Quantity
    /// A minus sign stands before it.
    var isNegative: Bool
    /// Bytes between the end of the quantity before it and its first byte.
    var gap: Int

    /// Bytes between a label and its number: columns of a table are padded.
    private static let maxSeparator = 40
    private static let maxLabel = 60
    /// Fields of a line that are read.
    private static let maxCount = 64

    /// Returns the fields of `line` in order.
    static func all(in line: [UInt8]) -> [Field] {
        var fields: [Field] = []
        var index = 0
        var end = 0
        while index < line.count, fields.count < maxCount {
            guard line[index].isDigit else {
                index += 1
                continue
            }
            guard let quantity = Quantity(in: line, at: index) else {
                index += 1
                continue
            }
            let isNegative = isMinus(line, before: index)
            if isNegative || isStart(line, index) {
                fields.append(
                    Field(
                        label: label(in: line, before: isNegative ? index - 1 : index), quantity: quantity,
                        isNegative: isNegative, gap: index - end))
            }
            end = quantity.range.upperBound
            index = max(end, index + 1)
        }
        return fields
    }

    /// False for a number that continues a word, a path, a date or another number.
    private static func isStart(_ line: [UInt8], _ index: Int) -> Bool {
        guard index > 0 else { return true }
        let before = line[index - 1]
        return !before.isLetter && !before.isDigit && !"._-/+".utf8.contains(before)
    }

    private static func isMinus(_ line: [UInt8], before index: Int) -> Bool {
        guard index > 1, line[index - 1] == UInt8(ascii: "-") else { return false }
        return " :=[(|".utf8.contains(line[index - 2])
    }

    private static func label(in line: [UInt8], before start: Int) -> String {
        var end = start
        while end > 0, start - end < maxSeparator, " \t:=#'\"[]()|".utf8.contains(line[end - 1]) { end -= 1 }
        var begin = end
        while begin > 0, end - begin < maxLabel, line[begin - 1].isLetter || " _-/".utf8.contains(line[begin - 1]) {
            begin -= 1
        }
        return Self.normalized(line[begin..<end])
    }

    /// The words of `text` in lower case, with single spaces between them. All but ASCII letters separates words.
    static func normalized(_ text: some Sequence<UInt8>) -> String {
        var words: [UInt8] = []
        for byte in text {
            if byte.isLetter {
                words.append(byte | 0x20)
            } else if let last = words.last, last != .space {
                words.append(.space)
            }
        }
        if words.last == .space { words.removeLast() }
        return words.text
    }
}
