internal import Shared

/// What the names in one folder tell of files that should be there.
enum CheckpointSet {
    private static let trainerState = "trainer_state.json"

    static func findings(of folder: CheckpointContent.Folder) -> [Finding] {
        let names = Set(folder.files)
        var findings: [Finding] = []
        func report(_ weight: Finding.Weight, _ name: String, _ sentence: String) {
            findings.append(Finding(weight, folder.name.isEmpty ? name : "\(folder.name)/\(name)", sentence))
        }
        for name in folder.files where TemporaryName.isOne(name) {
            if let final = TemporaryName.final(of: name), names.contains(final) {
                report(.remark, name, "is left over from a write of \"\(final)\"")
            } else {
                report(.damage, name, "has the name of a file that is still being written")
            }
        }
        for set in NumberedSet.all(in: folder.files) {
            let missing = set.missing
            guard let first = missing.first else { continue }
            report(
                .damage, first,
                "is missing\(missing.count > 1 ? ", and \(missing.count - 1) more" : "") of \(set.total)")
        }
        if !names.contains(DistributedFormat.metadata), let part = folder.files.first(where: DistributedFormat.isPart) {
            report(.damage, DistributedFormat.metadata, "is missing, which is written after \"\(part)\" and all others")
        }
        if !names.contains(trainerState), names.isSuperset(of: ["training_args.bin", "optimizer.pt"]) {
            report(.damage, trainerState, "is missing, which the Trainer of transformers writes after all others")
        }
        return findings
    }
}

/// Names under which libraries write what they rename when it is complete.
enum TemporaryName {
    private static let endings = [".tmp", ".temp", ".incomplete", ".part", ".partial"]
    private static let beginnings = ["tmp-", "tmp_", ".tmp"]

    static func isOne(_ name: String) -> Bool {
        endings.contains { name.hasSuffix($0) } || beginnings.contains { name.hasPrefix($0) }
            || name.contains(".orbax-checkpoint-tmp")
    }

    /// What the file is called in the end, where its name tells.
    static func final(of name: String) -> String? {
        if let ending = endings.first(where: { name.hasSuffix($0) }) { return String(name.dropLast(ending.count)) }
        if let beginning = beginnings.first(where: { name.hasPrefix($0) }) {
            return String(name.dropFirst(beginning.count))
        }
        return nil
    }
}

/// Files that count themselves, `model-00002-of-00003.safetensors`, from 1 or from 0 on.
struct NumberedSet {
    let total: Int
    /// Before the number, and from the `-of-` on.
    private let beginning: String
    private let ending: String
    private let width: Int
    private var numbers: Set<Int> = []

    /// No model is cut into more, and a name can claim anything.
    private static let largest = 100_000

    static func all(in names: [String]) -> [NumberedSet] {
        var sets: [String: NumberedSet] = [:]
        for name in names {
            guard let (set, number) = parse(name) else { continue }
            sets["\(set.beginning)/\(set.ending)", default: set].numbers.insert(number)
        }
        return sets.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The set that a file is of, and its number there.
    private static func parse(_ name: String) -> (NumberedSet, Int)? {
        guard let middle = name.firstRange(of: "-of-") else { return nil }
        let digits = name[..<middle.lowerBound].reversed().prefix { $0.isASCII && $0.isNumber }.count
        let totalDigits = name[middle.upperBound...].prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(name[..<middle.lowerBound].suffix(digits)), let total = Int(totalDigits),
            total <= largest,
            number <= total
        else { return nil }
        let set = NumberedSet(
            total: total, beginning: String(name[..<middle.lowerBound].dropLast(digits)),
            ending: String(name[middle.lowerBound...]), width: digits)
        return (set, number)
    }

    private init(total: Int, beginning: String, ending: String, width: Int) {
        (self.total, self.beginning, self.ending, self.width) = (total, beginning, ending, width)
    }

    /// The names that should be there too.
    var missing: [String] {
        let all = numbers.contains(0) ? 0..<total : 1..<total + 1
        return all.filter { !numbers.contains($0) }.map { beginning + String($0, width: width) + ending }
    }
}
