internal import Shared

/// A number in a line of text, and the number after a slash, if there is one: `12`, `1,200`, `10K`, `118/1000`,
/// `118it/1.00kit`.
struct Quantity: Equatable {
    var value: Double
    /// The number behind the slash.
    var total: Double?
    /// The letters right behind the number, such as `it` in `118it`.
    var unit = ""
    /// The indices of its first byte and behind its last one.
    var range: Range<Int>

    /// Reads the quantity that begins at `start`. nil if no number begins there, such as inside of a word, a version or
    /// a time.
    init?(in line: [UInt8], at start: Int) {
        guard let first = Self.number(in: line, at: start) else { return nil }
        (value, unit) = (first.value, first.unit)
        range = start..<first.end
        var index = first.end
        while index < line.count, index - first.end <= 8, line[index] == .space { index += 1 }
        guard index < line.count, line[index] == UInt8(ascii: "/") else { return }
        index += 1
        let slash = index
        while index < line.count, index - slash <= 8, line[index] == .space { index += 1 }
        guard let second = Self.number(in: line, at: index) else { return }
        total = second.value
        range = start..<second.end
    }

    /// Beyond it no count is exact, and none is meant.
    private static let maxValue = 1e15

    private static func number(in line: [UInt8], at start: Int) -> (value: Double, unit: String, end: Int)? {
        guard start < line.count, line[start].isDigit else { return nil }
        var index = start
        var text: [UInt8] = []
        while index < line.count {
            let byte = line[index]
            if byte.isDigit {
                text.append(byte)
            } else if byte != UInt8(ascii: ",") && byte != UInt8(ascii: "_") || !isGroup(line, at: index + 1) {
                break
            }
            index += 1
        }
        if index + 1 < line.count, line[index] == UInt8(ascii: "."), line[index + 1].isDigit {
            text.append(line[index])
            index += 1
            while index < line.count, line[index].isDigit {
                text.append(line[index])
                index += 1
            }
        }
        if let end = exponentEnd(line, at: index) {
            text += line[index..<end]
            index = end
        }
        guard var value = Double(text.text) else { return nil }
        guard value <= maxValue else { return nil }
        let letters = line[index...].prefix { $0.isLetter }
        var unit = letters.text
        if let scale = scale(of: unit) {
            value *= scale
            unit.removeFirst()
        }
        return (value, unit, letters.endIndex)
    }

    /// Three digits and no fourth one: a group of thousands.
    private static func isGroup(_ line: [UInt8], at index: Int) -> Bool {
        line.count >= index + 3 && line[index..<(index + 3)].allSatisfy(\.isDigit)
            && !(index + 3 < line.count && line[index + 3].isDigit)
    }

    private static func exponentEnd(_ line: [UInt8], at index: Int) -> Int? {
        guard index + 1 < line.count, line[index] | 0x20 == UInt8(ascii: "e") else { return nil }
        var end = index + 1
        if line[end] == UInt8(ascii: "+") || line[end] == UInt8(ascii: "-") { end += 1 }
        let digits = end
        while end < line.count, line[end].isDigit { end += 1 }
        return end > digits ? end : nil
    }

    /// `K`, `M` or `G`, alone or before a unit of tqdm.
    private static func scale(of unit: String) -> Double? {
        guard let first = unit.first, ["", "it", "B", "iB"].contains(unit.dropFirst()) else { return nil }
        return switch first {
        case "k", "K": 1e3
        case "M": 1e6
        case "G": 1e9
        default: nil
        }
    }
}
