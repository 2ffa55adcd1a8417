internal import Shared

/// Guesses how a project trains, from the files in its folder.
struct ProjectGuess: Sendable, Encodable {
    /// A name for the run.
    var run: String
    /// The requirement files.
    var requirements: [String] = []
    /// The script that trains, relative to the folder; nil if none looks like one.
    var script: String?
    /// The script's option that takes a checkpoint, such as `--resume`; nil if it has none.
    var resumeOption: String?
    /// The folder in which the script saves; nil if it names none.
    var checkpoints: String?

    /// Bytes of a script that are read.
    private static let maxScript = 1 << 20
    /// Python files that are read at most.
    private static let maxScripts = 200

    init(folder: String) {
        let name = folder.split(separator: "/").last.map(String.init) ?? ""
        run = Self.runName(name)
        let names = ((try? File.list(folder)) ?? []).sorted()
        requirements = names.filter { $0 == "requirements.txt" }
        let scripts = Self.scripts(in: folder, names)
        let best = scripts.map { (path: $0.path, text: $0.text, score: Self.score($0.path, $0.text)) }
            .filter { $0.score > 0 }.max { ($0.score, $1.path) < ($1.score, $0.path) }
        guard let best else { return }
        script = best.path
        resumeOption = best.text.firstMatch(of: /["'](--resume[a-z_-]*)["']/).map { String($0.1) }
        checkpoints = Self.savingFolder(best.text)
    }

    /// The folder's name as a run's name: letters, digits and hyphens.
    private static func runName(_ folder: String) -> String {
        let words = folder.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        let name = String(words.joined(separator: "-").prefix(40))
        return RunID(name) == nil ? "train" : name
    }

    private static func scripts(in folder: String, _ names: [String]) -> [(path: String, text: String)] {
        let below = ["src", "scripts"].flatMap { sub in
            ((try? File.list("\(folder)/\(sub)")) ?? []).sorted().map { "\(sub)/\($0)" }
        }
        return (names + below).filter { $0.hasSuffix(".py") }.prefix(maxScripts).compactMap { path in
            guard let bytes = try? File.readRegular("\(folder)/\(path)", limit: maxScript) else { return nil }
            return (path, bytes.text)
        }
    }

    /// More is a better guess; 0: no training.
    private static func score(_ path: String, _ text: String) -> Int {
        let name = path.lowercased()
        let marks = [".backward(", "Trainer(", ".fit(", "torch.save(", "save_pretrained(", "save_checkpoint(", "epoch"]
        let found = marks.count { text.contains($0) }
        let named = name.contains("train") || name.contains("finetune") ? 3 : 0
        return named + found + (found + named > 0 && text.contains("__main__") ? 1 : 0)
    }

    /// The default of an option for a folder of checkpoints, else a text of a line that saves.
    private static func savingFolder(_ text: String) -> String? {
        let option = /["']--(?:output|save|checkpoint|ckpt)[a-z_-]*["'][^\n]*default\s*=\s*["']([A-Za-z0-9_.\/-]+)["']/
        if let match = text.firstMatch(of: option) { return folder(String(match.1)) }
        let named = /["']([A-Za-z0-9_.\/-]*(?:checkpoint|ckpt|output)[A-Za-z0-9_.-]*)(?:\/[^"'\n]*)?["']/
        return text.firstMatch(of: named).map { folder(String($0.1)) } ?? nil
    }

    /// nil if `path` is no folder below the project.
    private static func folder(_ path: String) -> String? {
        let clean = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        let isBelow = !clean.isEmpty && !clean.hasPrefix("/") && !clean.hasPrefix("-") && !clean.contains("..")
        return isBelow ? clean.split(separator: "/").joined(separator: "/") : nil
    }
}
