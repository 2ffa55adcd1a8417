#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Files that known trainers save side by side and that are one checkpoint. To teach another trainer, add a row.
enum CompanionTable {
    /// A hole `{a}` or `{b}` stands for the same text in all names of a row, `{n}` for digits.
    struct Row: Sendable {
        /// The form of the file whose name stands for the checkpoint.
        var main: String
        /// The forms of the others, which need not exist, with wildcards as in fnmatch(3).
        var others: [String]
    }

    static let rows = [
        // RVC, so-vits-svc, GPT-SoVITS
        Row(main: "G_{n}.pth", others: ["D_{n}.pth"]),
        Row(main: "G_{n}.pt", others: ["D_{n}.pt"]),
        // HiFi-GAN
        Row(main: "g_{n}", others: ["do_{n}"]),
        // AllenNLP
        Row(main: "model_state_{a}.th", others: ["training_state_{a}.th"]),
        Row(main: "training_state_{a}.th", others: ["model_state_{a}.th"]),
        // TensorFlow
        Row(main: "{a}.index", others: ["{a}.data-?????-of-?????", "{a}.meta"]),
        Row(main: "{a}.data-00000-of-{b}", others: ["{a}.index", "{a}.data-?????-of-?????", "{a}.meta"]),
        // Stable-Baselines3
        Row(
            main: "{a}_{n}_steps.zip",
            others: ["{a}_replay_buffer_{n}_steps.pkl", "{a}_vecnormalize_{n}_steps.pkl"]),
        // Paddle
        Row(main: "{a}.pdparams", others: ["{a}.pdopt", "{a}.pdstates"]),
        // Caffe
        Row(main: "{a}.solverstate", others: ["{a}.caffemodel"]),
    ]

    /// Returns the patterns of the names that belong to the checkpoint `name`.
    static func patterns(of name: String) -> [String] {
        rows.flatMap { row in
            guard let texts = texts(in: name[...], form: row.main[...]) else { return [String]() }
            return row.others.map { form in
                texts.reduce(form) { $0.replacing($1.key, with: quoted($1.value)) }
            }
        }
    }

    /// Whether the entry `name` may be one of the others of a checkpoint that matches `pattern`.
    static func mayConcern(_ name: String, _ pattern: String) -> Bool {
        let isAny = { (form: String) in
            form.replacing("{a}", with: "*").replacing("{b}", with: "*").replacing("{n}", with: "*")
        }
        return rows.contains { row in
            let main = isAny(row.main)
            // Either may be the narrower one.
            let concerns =
                fnmatch(main, pattern, 0) == 0 || fnmatch(pattern.replacing("{step}", with: "*"), main, 0) == 0
            return concerns && row.others.contains { fnmatch("*\(isAny($0))*", name, 0) == 0 }
        }
    }

    /// A text of a name as a pattern that matches nothing else.
    private static func quoted(_ text: String) -> String {
        text.map { "*?[\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
    }

    /// Returns the texts in the holes of `form`; nil if `name` has another form.
    private static func texts(in name: Substring, form: Substring) -> [String: String]? {
        guard let open = form.firstIndex(of: "{"), let close = form.firstIndex(of: "}") else {
            return name == form ? [:] : nil
        }
        let before = form[..<open]
        guard name.hasPrefix(before) else { return nil }
        let hole = String(form[open...close])
        let rest = name.dropFirst(before.count)
        let after = form[form.index(after: close)...]
        for count in stride(from: rest.count, to: 0, by: -1) {
            let text = rest.prefix(count)
            if hole == "{n}", !text.allSatisfy({ ("0"..."9").contains($0) }) { continue }
            if let others = texts(in: rest.dropFirst(count), form: after) {
                return others.merging([hole: String(text)]) { first, _ in first }
            }
        }
        return nil
    }
}
