import Shared
import TestSupport
import Testing

/// Trainings that print lines of which each byte is known: what holds one up, or loses its output, is seen.
struct CountedOutput {
    let site: Site

    init(at site: Site) { self.site = site }

    /// Prints so many bytes each 10 ms, until the test opens `go`.
    func steadily(_ bytes: Int) -> CommandForm { command("steadily", "\(bytes)") }

    /// Prints `bytes` as fast as they are taken, then bursts for so many `seconds`, then again, until the test opens `end`; then waits for `go`.
    func flood(_ bytes: Int, bursts seconds: Double) -> CommandForm { command("flood", "\(bytes)", "\(seconds)") }

    private func command(_ verb: String, _ arguments: String...) -> CommandForm {
        .exec(["/usr/bin/python3", Programs.bed("lines.py"), verb, site.root] + arguments)
    }

    /// Bytes that were taken so far from the one that was started as the `number`-th.
    func printed(by number: Int = 1) -> Int { account(number)[0] }

    /// Between two writes, by its own account.
    func longestPause(of number: Int = 1) -> Duration { .nanoseconds(account(number)[1]) }

    private func account(_ number: Int) -> [Int] {
        guard let bytes = try? File.read("\(site.root)/printed-\(number)"), bytes.count == 16 else { return [0, 0] }
        return bytes.withUnsafeBytes { bytes in [0, 8].map { bytes.loadUnaligned(fromByteOffset: $0, as: Int.self) } }
    }

    /// Bytes a second, while `body` runs.
    func rate(while body: () async throws -> Void) async throws -> Int {
        let (start, before) = (ContinuousClock.now, printed())
        try await body()
        return Int(Double(printed() - before) / (start.duration(to: .now) / .seconds(1)))
    }

    /// What a log has of one of them.
    struct Count: CustomStringConvertible {
        var kept: Int
        /// As the log tells itself, in the right places.
        var lost: Int
        var printed: Int

        var description: String { "\(kept) of \(printed) bytes are kept, \(lost) told to be lost" }
    }

    /// Size and SHA-256 of the log of `run`, as a shell puts its segments together, and what it has of each training, in order.
    /// That it has what it should not, or tells a gap that is none, is an error.
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
