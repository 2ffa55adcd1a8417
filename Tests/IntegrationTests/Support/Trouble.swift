import Shared
import TestSupport
import Testing

/// Trouble with a volume while a training prints. The training must not slow down, and the log must have each byte or
/// count it as lost.
struct Trouble {
    let agent: BareAgent
    let output: CountedOutput
    /// How long the trouble lasts.
    var lasts: Duration = .seconds(3)
    /// Whether the log gets a gap, because more is printed than can wait in memory. nil: the volume may also lose bytes
    /// that it has confirmed.
    var makesGap: Bool? = true

    /// Bytes each 10 ms, of which 3 s are more than can wait in memory.
    static let much = 128 << 10

    /// Runs the training, with the trouble between `begin` and `end` in its middle. `begin` gets the running agent.
    func befalls(
        _ name: String, within timeout: Duration = .seconds(60), begin: (Running) async throws -> Void,
        end: () async throws -> Void
    ) async throws {
        let run = try agent.start()
        try await eventuallyTrue("output in the log; \(run.errors)") { try !agent.log.isEmpty && output.printed() > 0 }
        let before = try await output.rate { try await Task.sleep(for: .seconds(1)) }
        let meanwhile = try await output.rate {
            try await begin(run)
            try await Task.sleep(for: lasts)
            try await end()
        }
        let after = try await output.rate {
            let size = try LogStream(of: agent.folder).end
            try await eventuallyTrue("more in the log; \(run.errors)", within: timeout, every: .milliseconds(50)) {
                try LogStream(of: agent.folder).end > size
            }
            try await Task.sleep(for: .seconds(1))
        }
        try agent.site.open("go")
        #expect(try await run.end(within: timeout) == 0, "\(run.errors)")
        #expect(meanwhile > before * 3 / 4)
        #expect(output.longestPause() < .milliseconds(500))
        #expect(try agent.record(1)?.outcome?.kind == .finished)
        #expect(try agent.record(1)?.state == .ended)
        guard let makesGap else {
            let lost = try checkZeros()
            return print(
                "timing: \(name): \(before / 1000) kB/s before, \(meanwhile / 1000) meanwhile, \(lost) bytes lost by the volume"
            )
        }
        let (_, _, counts) = try output.check(agent.folder)
        let count = try #require(counts.first)
        print(
            """
            timing: \(name): \(before / 1000) kB/s before, \(meanwhile / 1000) meanwhile, \(after / 1000) after, \
            longest pause \(output.longestPause()); \(count)
            """)
        #expect(counts.count == 1, "it was started once")
        #expect(count.kept + count.lost == count.printed, "\(run.errors)")
        #expect((count.lost > 0) == makesGap)
    }

    /// Checks that the log has zeros exactly where its own lines report lost bytes. Returns their number.
    ///
    /// A volume that loses bytes may lose some of the agent's own lines too.
    private func checkZeros() throws -> Int {
        let log = try agent.site.log(of: agent.folder)
        var lost: [Range<Int>] = []
        for line in log.text.split(separator: "\n") where line.contains("were lost by the volume") {
            let words = line.split(separator: " ")
            let (count, first) = (try #require(Int(words[2])), try #require(Int(words[6])))
            lost.append(first..<first + count)
        }
        for range in lost { #expect(log[range].allSatisfy { $0 == 0 }, "\(range)") }
        #expect(log.count { $0 == 0 } == lost.reduce(0) { $0 + $1.count }, "\(lost)")
        return lost.reduce(0) { $0 + $1.count }
    }
}
