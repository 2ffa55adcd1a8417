import Shared
import TestSupport
import Testing

/// A training that prints a number and the time every 10 ms, so that a test sees each delay and each lost line.
enum Ticker {
    /// Prints until the file `go` exists.
    static var command: CommandForm {
        .exec([
            "python3", "-c",
            """
            import os, time
            n = 0
            while not os.path.exists(os.environ["SITE"] + "/go"):
                print("tick", n, time.monotonic_ns(), flush=True)
                n += 1
                time.sleep(0.01)
            """,
        ])
    }

    struct Ticks {
        /// Nanoseconds.
        fileprivate(set) var times: [Int] = []
        /// The count of numbers up to the last one that are missing.
        fileprivate(set) var missing = 0

        var count: Int { times.count }
        var longestPause: Duration {
            .nanoseconds(zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0)
        }
    }

    /// Reads the ticks in a log, in order. Throws if a number comes twice or too early.
    static func ticks(in log: String) throws -> Ticks {
        var ticks = Ticks()
        var next = 0
        // The last line may not be complete yet.
        let lines = log[..<(log.lastIndex(of: "\n") ?? log.startIndex)]
        for line in lines.split(separator: "\n") where line.hasPrefix("tick ") {
            let words = line.split(separator: " ")
            let (number, time) = (try #require(Int(words[1])), try #require(Int(words[2])))
            try #require(number >= next, "\(line) after \(next - 1)")
            ticks.missing += number - next
            next = number + 1
            ticks.times.append(time)
        }
        return ticks
    }

    /// Returns once the agent's log has `count` more ticks.
    static func ticks(
        _ count: Int = 20, in agent: BareAgent, within timeout: Duration = .seconds(30),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try ticks(in: try agent.log).count
        try await eventuallyTrue("\(count) more ticks", within: timeout, sourceLocation: sourceLocation) {
            try ticks(in: try agent.log).count >= before + count
        }
    }
}
