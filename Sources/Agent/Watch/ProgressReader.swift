internal import Shared

/// Reads the training's step from its output.
struct ProgressReader: Sendable {
    private typealias Form = @Sendable (Substring) -> Double?

    /// Ways to find a step in a line. The first one that finds any is used: the Trainer of transformers prints both a
    /// bar with steps and an epoch.
    private let forms: [Form]
    /// Ways to find other numbers that change while the training works without a new step, for instance in an
    /// evaluation.
    private let others: [Form]

    /// `pattern` is a regular expression whose one group is the step. If nil, the reader knows the usual forms: `step
    /// 120`, a dictionary with an `'epoch'`, and a progress bar's `120/5000`. Throws if `pattern` is not a regular
    /// expression.
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

    /// Returns the step in the last line that has one.
    func lastStep(in bytes: ArraySlice<UInt8>) -> Double? {
        let lines = Self.lines(bytes)
        return forms.lazy.compactMap { Self.last($0, in: lines) }.first
    }

    /// Returns the last number found in each other way. If one differs from the last time, the training works.
    func lastSigns(in bytes: ArraySlice<UInt8>) -> [Double?] {
        let lines = Self.lines(bytes)
        return others.map { Self.last($0, in: lines) }
    }

    /// Returns the last lines, the very last one first.
    private static func lines(_ bytes: ArraySlice<UInt8>) -> [String] {
        // Only 2000 bytes of a line are read. A longer line may be a dump of data.
        bytes.suffix(window).split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            .reversed().map { $0.prefix(2000).text }
    }

    private static func last(_ form: Form, in lines: [String]) -> Double? {
        for line in lines {
            if let number = form(line[...]) { return number }
        }
        return nil
    }

    /// How many bytes at the end of the output are read.
    private static let window = 16 << 10

    /// `Regex` is not marked `Sendable`, but a compiled expression never changes.
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

    /// Returns the first number that follows `word` after at most four characters such as `: ` or `=`.
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
