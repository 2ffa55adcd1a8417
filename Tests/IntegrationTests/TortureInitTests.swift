import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

/// `init` dies at a system call, for each that it makes: nothing is left running, and the next start brings the run to its end.
@Suite(.serialized, .timeLimit(.minutes(15))) struct TortureInitTests {
    /// `init` alone: without `-f` its children are not traced.
    private static let strace = ["strace"]

    @Test(.enabled(if: Torture.isThere, Torture.reason)) func everyCallOfInit() async throws {
        let count = try await Self.trace()
        #expect(count > 30)
        let stride = Torture.isFull ? 1 : max(1, count / 6)
        let numbers = Array(Swift.stride(from: 1, through: count, by: stride))
        let start = ContinuousClock.now
        let failures = Mutex<[String]>([])
        await Torture.each(numbers, width: 3) { number in
            do { try await Self.kill(at: number) } catch {
                failures.withLock { $0.append("call \(number): \(error)") }
            }
        }
        let found = failures.withLock(\.self)
        print("torture: init: \(numbers.count) points in \(ContinuousClock.now - start), \(found.count) failures")
        #expect(found == [])
    }

    /// How many calls `init` makes in a run that nothing disturbs.
    private static func trace() async throws -> Int {
        let count = Mutex(0)
        try await Site.with { site in
            let output = "\(site.root)/trace"
            try await TortureTraining(at: site).start(under: strace + ["-o", output]).check()
            let calls = try File.read(output).text.split(separator: "\n").filter { $0.contains("(") }
            count.withLock { $0 = calls.count }
        }
        return count.withLock(\.self)
    }

    private static func kill(at number: Int) async throws {
        var finding: (any Error)?
        try await Site.with { site in
            do {
                let training = try TortureTraining(at: site)
                let run = try training.start(
                    under: strace + [
                        "-o", "\(site.root)/trace", "-e", "inject=all:signal=KILL:when=\(number)",
                    ])
                let code = try await run.end()
                // How many calls there are depends on how often it is woken.
                if code != 0 && code != 128 + SIGKILL { throw TortureFinding("it ended with \(code)") }
                try await eventuallyTrue(
                    "the end of all after call \(number): \(site.processes.map { Leftovers.commandLine($0.pid) })",
                    within: .seconds(5)
                ) { site.processes.isEmpty }
                if File.exists(training.agent.folder.path) { try training.checkFiles() }
                try await training.recover(from: try training.state, mayHaveGivenUp: false, losesMemory: true)
            } catch {
                finding = error
            }
        }
        if let finding { throw finding }
    }
}
