internal import Shared

/// Reads the training's step from what it prints.
struct ProgressReader: Sendable {
    private typealias Form = @Sendable (Substring) -> Double?

    /// Of several forms the first one that tells anything counts: the Trainer of transformers prints a bar with steps and an
    /// epoch by turns.
    private let forms: [Form]
    /// Forms that show that the training goes on, in an evaluation say, although no step is told.
    private let others: [Form]

    /// `pattern` is a regular expression with one group, the step; without one the usual forms are known:
    /// `step 120`, a dictionary with an `'epoch'`, and a progress bar's `120/5000`.
    init(pattern: String?) throws(Problem) {
        others = [Self.bar]
        guard let pattern else {
            forms = [Self.step, Self.bar, Self.epoch]
            return
        }
        do {
            let regex = Pattern(expression: try Regex(pattern))
            forms = [{ regex.number(in: $0) }]
        } catch {
            throw Problem("\"\(pattern)\" is not a regular expression: \(error)")
        }
    }

    /// The step in the last line that tells one.
    func lastStep(in bytes: ArraySlice<UInt8>) -> Double? {
        let lines = Self.lines(bytes)
        return forms.lazy.compactMap { Self.last($0, in: lines) }.first
    }

    /// What else has moved when it is not what it was: the last numbers of whatever goes on beside the steps.
    func lastSigns(in bytes: ArraySlice<UInt8>) -> [Double?] {
        let lines = Self.lines(bytes)
        return others.map { Self.last($0, in: lines) }
    }

    /// The last one first.
    private static func lines(_ bytes: ArraySlice<UInt8>) -> [String] {
        // No line that tells a step is longer than 2000 bytes; one that is may be a dump of data.
        bytes.suffix(window).split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            .reversed().map { $0.prefix(2000).text }
    }

    private static func last(_ form: Form, in lines: [String]) -> Double? {
        for line in lines {
            if let number = form(line[...]) { return number }
        }
        return nil
    }

    /// Bytes at the end of the output that are looked at.
    private static let window = 16 << 10

    /// A compiled expression never changes, and is only not marked so.
    private struct Pattern: @unchecked Sendable {
        let expression: Regex<AnyRegexOutput>

        func number(in line: Substring) -> Double? {
            guard let match = try? expression.firstMatch(in: line), match.output.count > 1,
                let group = match.output[1].substring
            else { return nil }
            return Double(group.filter { $0 != "," && $0 != "_" })
        }
    }

    /// `step 120`, `Step: 120`, `global_step=120`, `{"step": 120}`
    private static func step(_ line: Substring) -> Double? { number(after: "step", in: line) }

    /// `{'loss': 0.5, 'epoch': 1.25}`, as the Trainer of transformers prints
    private static func epoch(_ line: Substring) -> Double? {
        guard line.contains("{") else { return nil }
        return number(after: "'epoch'", in: line) ?? number(after: "\"epoch\"", in: line)
    }

    /// `12%|███ | 120/1000 [00:10<01:20, 11.0it/s]`, as tqdm prints
    private static func bar(_ line: Substring) -> Double? {
        guard line.contains("|"), let slash = line.lastIndex(of: "/", before: "["), slash > line.startIndex else {
            return nil
        }
        let digits = line[..<slash].reversed().prefix { $0.isWholeNumber }
        return Double(String(digits.reversed()))
    }

    /// The number after `word` and at most a few signs such as `: ` or `=`.
    private static func number(after word: String, in line: Substring) -> Double? {
        var rest = line
        while let found = rest.firstRange(of: word, ignoringCase: true) {
            rest = rest[found.upperBound...]
            let candidate = rest.drop { " :=#['\"".contains($0) }
            guard rest.distance(from: rest.startIndex, to: candidate.startIndex) <= 4 else { continue }
            let digits = candidate.prefix { $0.isASCII && $0.isWholeNumber || ".,_".contains($0) }
            guard digits.first?.isWholeNumber == true else { continue }
            let plain = digits.filter { $0 != "," && $0 != "_" }
            if let number = Double(plain.last == "." ? plain.dropLast() : plain[...]) { return number }
        }
        return nil
    }
}

extension Substring {
    fileprivate func firstRange(of word: String, ignoringCase: Bool) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].prefix(word.count).lowercased() == word.lowercased() {
                return start..<index(start, offsetBy: word.count)
            }
            formIndex(after: &start)
        }
        return nil
    }

    fileprivate func lastIndex(of sign: Character, before end: Character) -> Index? {
        (firstIndex(of: end).map { self[..<$0] } ?? self).lastIndex(of: sign)
    }
}
