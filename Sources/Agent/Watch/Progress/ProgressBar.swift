internal import Shared

/// A progress bar in a line of text, as tqdm, Keras, Rich and ultralytics draw it.
struct ProgressBar: Equatable {
    /// The words before it, without numbers; empty if there are none.
    var label: String
    var value: Double
    /// nil if the bar does not know its end.
    var total: Double?
    /// The unit of its rate, in lower case: `it` for `9.9it/s`; empty if it shows none.
    var unit: String

    /// Whether it shows something beside the training.
    var isNested: Bool { ProgressLabels.isNested(label) || ProgressLabels.nestedUnits.contains(unit) }

    /// Returns the bar in `line`. nil if there is none.
    init?(in line: [UInt8]) {
        guard let found = Self.tqdm(line) ?? Self.drawn(line) ?? Self.open(line) else { return nil }
        (label, value, total) = (Field.normalized(line[..<found.begin]), found.quantity.value, found.quantity.total)
        unit = Self.unit(in: line[found.quantity.range.upperBound...])
    }

    private typealias Found = (begin: Int, quantity: Quantity)

    /// `Epoch 3:  12%|███ | 118/1000 [00:10<01:20, 9.9it/s]`
    private static func tqdm(_ line: [UInt8]) -> Found? {
        let pipe = UInt8(ascii: "|")
        guard let first = line.firstIndex(of: pipe), let last = line.lastIndex(of: pipe),
            let quantity = Quantity(in: line, at: line.skippingSpaces(from: last + 1)), quantity.total != nil,
            first < last || line[quantity.range.upperBound...].first(where: { $0 != .space }) == UInt8(ascii: "[")
        else { return nil }
        guard let percent = line.firstIndex(of: "%|") else { return first < last ? nil : (first, quantity) }
        let label = line[..<percent].lastIndex { !$0.isDigit && $0 != UInt8(ascii: ".") }.map { $0 + 1 } ?? 0
        return (label, quantity)
    }

    /// `118/1000 ━━━━━━ 10s 12ms/step`, `118/1000 [==>...]`, `Epoch 3/9 ━━━━ 118/1000 0:00:10`
    private static func drawn(_ line: [UInt8]) -> Found? {
        let start = line.skippingSpaces(from: 0)
        if let quantity = Quantity(in: line, at: start), quantity.total != nil, isKeras(line, after: quantity) {
            return (start, quantity)
        }
        guard let bar = line.firstIndex(of: "━") ?? line.firstIndex(of: "╸") else { return nil }
        var index = bar
        // Box-drawing characters are three bytes each, U+2500 to U+257F.
        while index + 2 < line.count, line[index] == 0xe2, line[index + 1] & 0xfe == 0x94 { index += 3 }
        guard let quantity = Quantity(in: line, at: line.skippingSpaces(from: index)), quantity.total != nil else {
            return nil
        }
        return (bar, quantity)
    }

    private static func isKeras(_ line: [UInt8], after quantity: Quantity) -> Bool {
        let rest = line[quantity.range.upperBound...].drop { $0 == .space }.prefix(3)
        guard let first = rest.first else { return false }
        switch first {
        case UInt8(ascii: "["): return rest.dropFirst().first.map { "=>.".utf8.contains($0) } ?? false
        case UInt8(ascii: "-"): return rest.dropFirst().first == .space
        default: return first == 0xe2
        }
    }

    /// `118it [00:10, 9.9it/s]`, `118/1000 [00:10<01:20]`: tqdm without a known end, or without the bar itself.
    private static func open(_ line: [UInt8]) -> Found? {
        guard let bracket = line.lastIndex(of: UInt8(ascii: "[")), bracket + 3 < line.count,
            line[bracket + 1].isDigit, line[bracket + 2].isDigit, line[bracket + 3] == UInt8(ascii: ":"),
            bracket > 0, line[bracket - 1] == .space
        else { return nil }
        let head = line[..<(bracket - 1)]
        let start = head.lastIndex { $0 == .space || $0 == UInt8(ascii: ":") }.map { $0 + 1 } ?? 0
        guard let quantity = Quantity(in: line, at: start), quantity.range.upperBound == bracket - 1,
            quantity.total != nil || !quantity.unit.isEmpty
        else { return nil }
        return (start, quantity)
    }

    /// The unit of `9.9it/s` or `1.2s/it` in what follows the bar's numbers.
    private static func unit(in rest: ArraySlice<UInt8>) -> String {
        guard let slash = rest.firstIndex(of: "/s"), slash + 2 >= rest.endIndex || !rest[slash + 2].isLetter else {
            guard let slash = rest.firstIndex(of: "s/") else { return "" }
            return rest[(slash + 2)...].prefix { $0.isLetter }.text.lowercased()
        }
        let word = rest[..<slash].reversed().prefix { $0.isLetter }
        return Array(word.reversed()).text.lowercased()
    }
}

extension Collection<UInt8> where Index == Int {
    /// The index of the first occurrence of `text`.
    func firstIndex(of text: String) -> Int? {
        let wanted = Array(text.utf8)
        guard let first = wanted.first else { return nil }
        var start = startIndex
        while let found = self[start...].firstIndex(of: first) {
            if self[found...].starts(with: wanted) { return found }
            start = found + 1
        }
        return nil
    }

    func skippingSpaces(from index: Int) -> Int {
        self[index...].firstIndex { $0 != .space } ?? endIndex
    }
}
