internal import ArgumentParser
internal import Glibc
internal import Shared

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Tell whether saved checkpoints are whole: exit code 0 if all are, 1 if one is not or cannot be read.",
        discussion: """
            The formats are held against the files: safetensors, index and numbered shards, torch.save, PyTorch's \
            distributed checkpoints, NumPy, JSON. They show what was cut off, lost or never written. A flipped byte is \
            found by the sums: keep those of "--sums" beside the checkpoint and use "sha256sum -c".
            """)

    @Argument(help: "A checkpoint: a folder or a file.") var checkpoints: [String]

    @Flag(help: "Print each file's SHA-256 as sha256sum does, and everything else on standard error.") var sums = false

    func run() throws {
        var isWhole = true
        for path in checkpoints {
            do {
                let proof = try CheckpointProof.examine(path)
                say(VerifyReport.lines(of: proof, at: path))
                isWhole = isWhole && proof.isWhole
                if sums {
                    try FileSums().each(of: path) { try out(VerifyReport.line(of: $0, at: path)) }
                }
            } catch {
                say(["\(path): not whole: \(error)"])
                isWhole = false
            }
        }
        if !isWhole { throw ExitCode(1) }
    }

    private func say(_ lines: [String]) {
        for line in lines { try? File.write(Array("\(line)\n".utf8)[...], to: sums ? STDERR_FILENO : STDOUT_FILENO) }
    }

    private func out(_ line: String) throws {
        do { try File.write(Array("\(line)\n".utf8)[...], to: STDOUT_FILENO) } catch {
            throw Problem("write to standard output", errno: error.code)
        }
    }
}

/// What `verify` prints.
enum VerifyReport {
    private static let most = 50

    /// One line for the checkpoint, and below it one for each of the first findings, the worst first.
    static func lines(of proof: CheckpointProof, at path: String) -> [String] {
        let files = "\(proof.files) file\(proof.files == 1 ? "" : "s"), \(proof.checked) of a known format"
        let verdict = "\(path): \(proof.isWhole ? "whole" : "not whole") (\(files))"
        let findings = proof.findings.filter { $0.weight != .remark } + proof.findings.filter { $0.weight == .remark }
        let lines = findings.map { "  \($0.weight == .remark ? "note: " : "")\($0)" }
        let more = lines.count - most
        return [verdict] + lines.prefix(most) + (more > 0 ? ["  and \(more) more"] : [])
    }

    /// As sha256sum(1) writes it, which puts a backslash before a name that it cannot write plainly.
    static func line(of sum: FileSum, at path: String) -> String {
        let name = sum.name.isEmpty ? path : path.hasSuffix("/") ? path + sum.name : "\(path)/\(sum.name)"
        let escaped = name.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\r", with: "\\r")
        return "\(escaped == name ? "" : "\\")\(sum.sha256)  \(escaped)"
    }
}
