internal import ArgumentParser
internal import Glibc
internal import Shared

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Check whether saved checkpoints are whole: exit code 0 if all are, 1 if one is not or cannot be read.",
        discussion: """
            Each file is compared with its format: safetensors, index and numbered shards, torch.save, PyTorch's \
            distributed checkpoints, NumPy, JSON. Formats show data that was cut off, lost or never written. They do \
            not show a flipped byte: for that, save the output of "--sums" and check it with "sha256sum -c".
            """)

    @Argument(help: "A checkpoint: a folder or a file.") var checkpoints: [String]

    @Flag(help: "Print the SHA-256 of each file as sha256sum does, and everything else on standard error.") var sums =
        false

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

/// The output of `verify`.
enum VerifyReport {
    private static let maxFindings = 50

    /// Returns a line for the checkpoint and a line for each finding, the worst first, up to `maxFindings`.
    static func lines(of proof: CheckpointProof, at path: String) -> [String] {
        let files = "\(proof.files) file\(proof.files == 1 ? "" : "s"), \(proof.checked) of a known format"
        let verdict = "\(path): \(proof.isWhole ? "whole" : "not whole") (\(files))"
        let findings = proof.findings.filter { $0.weight != .remark } + proof.findings.filter { $0.weight == .remark }
        let lines = findings.map { "  \($0.weight == .remark ? "note: " : "")\($0)" }
        let more = lines.count - maxFindings
        return [verdict] + lines.prefix(maxFindings) + (more > 0 ? ["  and \(more) more"] : [])
    }

    /// Returns the line that sha256sum(1) writes.
    static func line(of sum: FileSum, at path: String) -> String {
        var name = path
        if !sum.name.isEmpty { name = path.hasSuffix("/") ? path + sum.name : "\(path)/\(sum.name)" }
        return ChecksumLine.text(sha256: "\(sum.sha256)", path: name)
    }
}
