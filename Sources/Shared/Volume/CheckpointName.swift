/// Finds the step in the names of checkpoints. A wrong step is worse than none.
enum CheckpointName {
    /// A number in a name, and the word before it, or after it if there is none before.
    private struct Number {
        var value: Int
        var label: String
    }

    /// Words of numbers that are steps.
    private static let steps: Set = [
        "step", "steps", "iter", "iters", "iteration", "iterations", "it", "globalstep", "update", "updates",
    ]
    /// Words of numbers that are no steps.
    private static let others: Set = [
        "epoch", "epochs", "ep", "e", "rank", "loss", "acc", "metric", "rew", "reward", "seed", "fold", "version", "v",
        "cp", "of", "part", "mb", "valloss", "train", "best", "last",
    ]

    /// Returns the name without its ending: a number in `.h5` or `.data-00000-of-00001` says nothing.
    static func stem(of name: String) -> String {
        var stem = name[...]
        while let dot = stem.lastIndex(of: "."), dot > stem.startIndex,
            let first = stem[stem.index(after: dot)...].first, first.isLetter
        {
            stem = stem[..<dot]
        }
        return String(stem)
    }

    /// The runs of ASCII digits in a text.
    static func digits(in text: String) -> [String] {
        text.split { !("0"..."9").contains($0) }.map(String.init)
    }

    /// Whether a name that matches `pattern` has the number of a numbered checkpoint.
    static func hasNumber(_ name: String, _ pattern: CheckpointPattern) -> Bool {
        if pattern.hasStep { return pattern.step(in: name) != nil }
        return !digits(in: stem(of: name.lastComponent)).isEmpty
    }

    /// Sets the step of each numbered candidate whose name says it for sure.
    static func readSteps(_ candidates: inout [String: CheckpointFolder.Candidate], _ pattern: CheckpointPattern) {
        let numbered = candidates.values.filter { !$0.hasFixedName }
        if pattern.hasStep {
            for candidate in numbered { candidates[candidate.name]?.step = pattern.step(in: candidate.name) }
            return
        }
        var series: [String: [(name: String, numbers: [Number], time: Int)]] = [:]
        for candidate in numbered {
            let (form, numbers) = parts(of: candidate.name)
            series[form, default: []].append((candidate.name, numbers, candidate.modified))
        }
        for members in series.values {
            guard let column = column(of: members.sorted { $0.time < $1.time }.map(\.numbers)) else { continue }
            for member in members { candidates[member.name]?.step = member.numbers[column].value }
        }
    }

    /// Returns the place of the step among the numbers of names of one form, in order of time; nil if it is not sure.
    private static func column(of rows: [[Number]]) -> Int? {
        guard let first = rows.first else { return nil }
        if let labelled = first.indices.last(where: { steps.contains(first[$0].label) }) { return labelled }
        let open = first.indices.filter { !others.contains(first[$0].label) }
        if open.count < 2 { return open.first }
        let growing = open.filter { place in
            zip(rows, rows.dropFirst()).allSatisfy { $0[place].value < $1[place].value }
        }
        return rows.count > 1 && growing.count == 1 ? growing[0] : nil
    }

    /// Splits a name into its form, with `#` for each number, and its whole numbers.
    private static func parts(of name: String) -> (form: String, numbers: [Number]) {
        let stem = stem(of: name.lastComponent)
        var form = ""
        var numbers: [Number] = []
        var word = ""
        var rest = stem[...]
        while let sign = rest.first {
            let run = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
            guard ("0"..."9").contains(sign) else {
                form.append(sign)
                if sign.isLetter { word += sign.lowercased() } else if !"_-=".contains(sign) { word = "" }
                rest = rest.dropFirst()
                continue
            }
            let digits = run.prefix { $0 != "." }
            let isWhole = run.count == digits.count
            rest = rest.dropFirst(run.count)
            form.append("#")
            if isWhole, let value = Int(digits) {
                let next = rest.drop { $0 == "_" || $0 == "-" }.prefix { $0.isLetter }.lowercased()
                let label = steps.contains(where: word.hasSuffix) ? "step" : steps.contains(next) ? "step" : word
                numbers.append(Number(value: value, label: lastWord(label, next)))
            }
            word = ""
        }
        return (form, numbers)
    }

    /// Returns `before`, shortened to a known word at its end, or `after` if nothing stands before.
    private static func lastWord(_ before: String, _ after: String) -> String {
        if before.isEmpty { return after }
        return others.contains(before)
            ? before : others.filter { $0.count > 2 }.first(where: before.hasSuffix) ?? before
    }
}
