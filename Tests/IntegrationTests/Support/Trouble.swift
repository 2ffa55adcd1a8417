import Shared
import TestSupport
import Testing

/// What befalls a volume while a training prints: the training does not feel it, and its log has every byte or counts it.
struct Trouble {
    let agent: BareAgent
    let output: CountedOutput
    /// How long the trouble is there.
    var lasts: Duration = .seconds(3)
    /// Whether more is printed than can wait for the volume. nil: the volume may also lose what it took.
    var makesGap: Bool? = true

    /// More than waits in memory, 3 s long.
    static let much = 128 << 10

    /// Runs the training with the trouble in its middle. `begin` gets the running agent.
    func befalls(
        _ name: String, within patience: Duration = .seconds(60), begin: (Running) async throws -> Void,
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
            try await eventuallyTrue("more in the log; \(run.errors)", within: patience, every: .milliseconds(50)) {
                try LogStream(of: agent.folder).end > size
            }
            try await Task.sleep(for: .seconds(1))
        }
        try agent.site.open("go")
        #expect(try await run.end(within: patience) == 0, "\(run.errors)")
        #expect(meanwhile > before * 3 / 4)
        #expect(output.longestPause() < .milliseconds(500))
        #expect(try agent.record(1)?.outcome?.kind == .finished)
        #expect(try agent.record(1)?.state == .ended)
        guard let makesGap else {
            let lost = try zerosAsTold()
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

    /// Of a volume that loses what it took, the agent's own lines among it: zeros are where the log says, as many, and nowhere else.
    private func zerosAsTold() throws -> Int {
        let log = try agent.site.log(of: agent.folder)
        var told: [Range<Int>] = []
        for line in log.text.split(separator: "\n") where line.contains("were lost by the volume") {
            let words = line.split(separator: " ")
            let (count, first) = (try #require(Int(words[2])), try #require(Int(words[6])))
            told.append(first..<first + count)
        }
        for range in told { #expect(log[range].allSatisfy { $0 == 0 }, "\(range)") }
        #expect(log.count { $0 == 0 } == told.reduce(0) { $0 + $1.count }, "\(told)")
        return told.reduce(0) { $0 + $1.count }
    }
}
