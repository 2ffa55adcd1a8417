internal import Shared

/// Finds missing and unfinished files of a checkpoint from the file names in one folder.
enum CheckpointSet {
    /// `checkpoint` is the path of the checkpoint that `folder` is a part of.
    static func findings(of folder: CheckpointContent.Folder, in checkpoint: String) -> [Finding] {
        let names = Set(folder.files)
        var findings: [Finding] = []
        func report(_ weight: Finding.Weight, _ name: String, _ sentence: String) {
            findings.append(Finding(weight, folder.name.isEmpty ? name : "\(folder.name)/\(name)", sentence))
        }
        for name in folder.files where TrainerTable.isMarkInside(name) {
            report(.damage, name, "says that the save has not ended")
        }
        for name in folder.files where TemporaryName.isTemporary(name) {
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
        let folderName = folder.name.isEmpty ? checkpoint.withoutSlashes.lastComponent : folder.name.lastComponent
        let layout = TrainerTable.layouts(of: names, in: folderName)
            .first { $0.isLastRequired && !names.contains($0.last) }
        if let layout { report(.damage, layout.last, "is missing; \(layout.trainer) writes it after all others") }
        return findings
    }
}

/// Names that libraries give to a file until it is complete and renamed.
enum TemporaryName {
    private static let endings = [".tmp", ".temp", ".incomplete", ".part", ".partial"]
    private static let beginnings = ["tmp-", "tmp_", ".tmp"]

    static func isTemporary(_ name: String) -> Bool {
        endings.contains { name.hasSuffix($0) } || beginnings.contains { name.hasPrefix($0) }
            || name.contains(".orbax-checkpoint-tmp")
    }

    /// Returns the name that the complete file will have, or nil if the temporary name does not contain it.
    static func final(of name: String) -> String? {
        if let ending = endings.first(where: { name.hasSuffix($0) }) { return String(name.dropLast(ending.count)) }
        if let beginning = beginnings.first(where: { name.hasPrefix($0) }) {
            return String(name.dropFirst(beginning.count))
        }
        return nil
    }
}

/// Files with a number and a total in their names, such as `model-00002-of-00003.safetensors`. Numbers begin at 1 or 0.
struct NumberedSet {
    let total: Int
    /// The part of the name before the number.
    private let beginning: String
    /// The part of the name from `-of-` on.
    private let ending: String
    private let width: Int
    private var numbers: Set<Int> = []

    /// A bound on memory, because a name can claim any total. No model has as many parts.
    private static let maxTotal = 100_000

    static func all(in names: [String]) -> [NumberedSet] {
        var sets: [String: NumberedSet] = [:]
        for name in names {
            guard let (set, number) = parse(name) else { continue }
            sets["\(set.beginning)/\(set.ending)", default: set].numbers.insert(number)
        }
        return sets.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Returns the set to which a file belongs and its number in it; nil if the name has no such form.
    private static func parse(_ name: String) -> (NumberedSet, Int)? {
        guard let middle = name.firstRange(of: "-of-") else { return nil }
        let digits = name[..<middle.lowerBound].reversed().prefix { $0.isASCII && $0.isNumber }.count
        let totalDigits = name[middle.upperBound...].prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(name[..<middle.lowerBound].suffix(digits)), let total = Int(totalDigits),
            total <= maxTotal,
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

    /// The names of the set's missing files.
    var missing: [String] {
        let all = numbers.contains(0) ? 0..<total : 1..<total + 1
        return all.filter { !numbers.contains($0) }.map { beginning + String($0, width: width) + ending }
    }
}
