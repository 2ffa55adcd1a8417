internal import Shared

/// Reads the training's step from what it prints.
struct ProgressReader: Sendable {
    private let patterns: [@Sendable (Substring) -> Double?]

    /// `pattern` is a regular expression with one group, the step; without one the usual forms are known:
    /// `step 120`, a dictionary with an `'epoch'`, and a progress bar's `120/5000`.
    init(pattern: String?) throws(Problem) {
        guard let pattern else {
            patterns = [Self.step, Self.epoch, Self.bar]
            return
        }
        do {
            let regex = Pattern(expression: try Regex(pattern))
            patterns = [{ regex.number(in: $0) }]
        } catch {
            throw Problem("\"\(pattern)\" is not a regular expression: \(error)")
        }
    }

    /// The step in the last line that tells one.
    func lastStep(in bytes: ArraySlice<UInt8>) -> Double? {
        let lines = bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        for line in lines.reversed() {
            // No line that tells a step is longer; one that is may be a dump of data.
            let text = line.prefix(2000).text
            for pattern in patterns {
                if let step = pattern(text[...]) { return step }
            }
        }
        return nil
    }

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
