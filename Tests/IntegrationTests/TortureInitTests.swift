import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

@Suite("faults at the system calls of init", .serialized, .timeLimit(.minutes(15))) struct TortureInitTests {
    /// Traces `init` alone: without `-f` strace leaves out its children.
    private static let strace = ["strace"]

    @Test(
        "no process is left and the next start finishes the run if the agent's init is killed at any system call",
        .enabled(if: Torture.isAvailable, Torture.reason))
    func kills() async throws {
        let calls = try await Self.trace()
        // Most calls are those of the program's own start. Nothing can be left behind before `serve` is started.
        let spawn = try #require(calls.firstIndex { ["clone", "clone3", "vfork"].contains($0.name) })
        let points = Torture.isFull ? calls : Array(calls[spawn...])
        let start = ContinuousClock.now
        let failures = Mutex<[String]>([])
        let missed = Mutex(0)
        await Torture.each(points, width: 3) { call in
            do {
                if try await !Self.kill(at: call) { missed.withLock { $0 += 1 } }
            } catch {
                failures.withLock { $0.append("\(call): \(error)") }
            }
        }
        let found = failures.withLock(\.self)
        print(
            "torture: init: \(points.count) points in \(ContinuousClock.now - start),",
            "\(missed.withLock(\.self)) not met again, \(found.count) failures")
        #expect(found == [])
        #expect(missed.withLock(\.self) * 3 <= points.count)
    }

    /// The n-th call by that name.
    private struct Call: Sendable, CustomStringConvertible {
        var name: String
        /// Counts from 1.
        var occurrence: Int
        var description: String { "\(name) #\(occurrence)" }
    }

    /// The calls that `init` makes until the middle of a training.
    private static func trace() async throws -> [Call] {
        let found = Mutex<[Call]>([])
        try await Site.with { site in
            let training = try TortureTraining(at: site)
            let output = "\(site.root)/trace"
            let run = try await training.hold(under: strace + ["-o", output])
            var counts: [Substring: Int] = [:]
            for line in try File.read(output).text.split(separator: "\n") {
                guard let bracket = line.firstIndex(of: "("), !line.hasPrefix("---") else { continue }
                let name = line[..<bracket]
                counts[name, default: 0] += 1
                found.withLock { $0.append(Call(name: String(name), occurrence: counts[name] ?? 0)) }
            }
            await site.killAll()
            try await run.end()
        }
        return found.withLock(\.self)
    }

    /// Returns false if the run trained before `init` made that call.
    private static func kill(at call: Call) async throws -> Bool {
        let wasMet = Mutex(true)
        var finding: (any Error)?
        try await Site.with { site in
            do {
                let training = try TortureTraining(at: site)
                let fault = "inject=\(call.name):signal=KILL:when=\(call.occurrence)"
                let run = try await training.hold(under: strace + ["-o", "\(site.root)/trace", "-e", fault])
                if run.isRunning {
                    wasMet.withLock { $0 = false }
                    await site.killAll()
                }
                let code = try await run.end()
                if code != 128 + SIGKILL { throw TortureFinding("it ended with \(code)") }
                try await eventuallyTrue(
                    "the end of all: \(site.processes.map { Leftovers.commandLine($0.pid) })", within: .seconds(5)
                ) { site.processes.isEmpty }
                try training.release()
                if try File.exists(training.agent.folder.path) { try training.checkFiles() }
                try await training.recover(from: try training.state, mayHaveGivenUp: false, losesMemory: true)
            } catch {
                finding = error
            }
        }
        if let finding { throw finding }
        return wasMet.withLock(\.self)
    }
}
