import Shared
import TestSupport
import Testing

/// Trainings whose output is known byte by byte, so that a test sees each delay and each lost byte.
struct CountedOutput {
    let site: Site

    init(at site: Site) { self.site = site }

    /// Prints `bytes` bytes each 10 ms until the file `go` exists.
    func steadily(_ bytes: Int) -> CommandForm { command("steadily", "\(bytes)") }

    /// Prints `bytes` bytes at full speed and then bursts for `seconds`, again and again, until the file `end` exists.
    /// Then waits for the file `go`.
    func flood(_ bytes: Int, bursts seconds: Double) -> CommandForm { command("flood", "\(bytes)", "\(seconds)") }

    private func command(_ verb: String, _ arguments: String...) -> CommandForm {
        .exec(["/usr/bin/python3", Programs.bed("lines.py"), verb, site.root] + arguments)
    }

    /// Bytes that the `number`-th training has written to its output so far.
    func printed(by number: Int = 1) -> Int { account(number)[0] }

    /// The longest time between two of its writes, as it measured it.
    func longestPause(of number: Int = 1) -> Duration { .nanoseconds(account(number)[1]) }

    private func account(_ number: Int) -> [Int] {
        guard let bytes = try? File.read("\(site.root)/printed-\(number)"), bytes.count == 16 else { return [0, 0] }
        return bytes.withUnsafeBytes { bytes in [0, 8].map { bytes.loadUnaligned(fromByteOffset: $0, as: Int.self) } }
    }

    /// Bytes per second while `body` runs.
    func rate(while body: () async throws -> Void) async throws -> Int {
        let (start, before) = (ContinuousClock.now, printed())
        try await body()
        return Int(Double(printed() - before) / (start.duration(to: .now) / .seconds(1)))
    }

    /// The bytes of one training in a log.
    struct Count: CustomStringConvertible {
        var kept: Int
        /// Bytes that the log itself reports as lost, in the right places.
        var lost: Int
        var printed: Int

        var description: String { "\(kept) of \(printed) bytes are kept, \(lost) reported as lost" }
    }

    /// Returns size and SHA-256 of the log, which a shell puts together, and the count of each training.
    ///
    /// Throws if the log has bytes that it should not have, or reports a gap that is none.
    func check(_ run: RunFolder) throws -> (size: Int, digest: String, counts: [Count]) {
        let script = "cd '\(run.logs)' && { shopt -s nullglob; cat /dev/null *.log.gz | zcat -f; cat /dev/null *.log; }"
        let checker = "/usr/bin/python3 '\(Programs.bed("lines.py"))' check '\(site.root)'"
        let (code, output) = try Command.run(["bash", "-o", "pipefail", "-c", "\(script) | \(checker)"])
        try #require(code == 0, "\(output.text)")
        var words = output.text.split(separator: "\n").map { $0.split(separator: " ") }
        let first = words.removeFirst()
        return (
            try #require(Int(first[0])), String(first[1]),
            try words.map { line in
                let numbers = try line.map { try #require(Int($0)) }
                return Count(kept: numbers[0], lost: numbers[1], printed: numbers[2])
            }
        )
    }
}
