import Shared
import TestSupport
import Testing

/// A training that prints a number and the time every 10 ms: what holds it up, or loses its output, is seen.
struct Ticker {
    let site: Site

    init(at site: Site) { self.site = site }

    /// Until the test opens `go`. Before it ticks it prints `flood` bytes, and then makes the file `flooded`.
    func command(flood: Int = 0) -> CommandForm {
        .exec([
            "python3", "-c",
            """
            import os, sys, time
            site = os.environ["SITE"]
            for _ in range(\(flood) // 65536): sys.stdout.write(("x" * 1023 + "\\n") * 64)
            sys.stdout.flush()
            open(site + "/flooded", "w").close()
            n, last, longest = 0, time.monotonic_ns(), 0
            while not os.path.exists(site + "/go"):
                print("tick", n, time.monotonic_ns(), flush=True)
                now = time.monotonic_ns()
                n, last, longest = n + 1, now, max(longest, now - last)
                open(site + "/now.new", "w").write(f"{n} {longest}")
                os.rename(site + "/now.new", site + "/now")
                time.sleep(0.01)
            """,
        ])
    }

    /// How often it has ticked, by its own account.
    var now: Int { account[0] }

    /// Between two ticks, by its own account.
    var longestPause: Duration { .nanoseconds(account[1]) }

    private var account: [Int] {
        let words = (try? File.read("\(site.root)/now").text.split(separator: " ")) ?? ["0", "0"]
        return words.map { Int($0) ?? 0 }
    }

    struct Ticks {
        /// Nanoseconds.
        fileprivate(set) var times: [Int] = []
        /// How many numbers of those up to the last one are not there.
        fileprivate(set) var missing = 0

        var count: Int { times.count }
        var longestPause: Duration {
            .nanoseconds(zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0)
        }
    }

    /// What is in a log, in order. A number that comes twice, or too early, is an error.
    func ticks(in log: String) throws -> Ticks {
        var ticks = Ticks()
        var next = 0
        // Of a line that is written at this moment the end is still to come.
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

    /// Returns once the agent's log has `count` more of them.
    func ticks(
        _ count: Int = 20, in agent: BareAgent, within patience: Duration = .seconds(30),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try ticks(in: try agent.log).count
        try await eventuallyTrue("\(count) more ticks", within: patience, sourceLocation: sourceLocation) {
            try ticks(in: try agent.log).count >= before + count
        }
    }
}
