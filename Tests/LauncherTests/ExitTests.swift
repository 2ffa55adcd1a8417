import ArgumentParser
import HTTPClient
import Shared
import Testing

@testable import Launcher

@Suite struct ExitTests {
    @Test(
        "launch exits with the training's code, or with a code for its outcome",
        arguments: [
            (Outcome(.finished, exit: .code(0)), 0), (Outcome(.failed, exit: .code(3)), 3),
            (Outcome(.failed, exit: .signal(9)), 137), (Outcome(.failed, exit: .signal(15)), 143),
            (Outcome(.stopped, exit: .code(0)), 130), (Outcome(.interrupted, exit: .code(0)), 143),
            (Outcome(.setupFailed, message: "x"), 73), (nil, 70),
            // Without the training's own code a failure must not look like success.
            (Outcome(.failed), 70), (Outcome(.finished), 0), (Outcome(.stalled, exit: .code(0)), 70),
            (Outcome(.overLimit, exit: .code(0)), 70), (Outcome(.overLimit, exit: .signal(15)), 143),
            (Outcome(.outOfMemory, exit: .signal(9)), 137), (Outcome(.agentCrash), 70),
        ] as [(Outcome?, Int32)])
    func code(of outcome: Outcome?, code: Int32) {
        #expect(Exit.code(of: outcome).rawValue == code)
    }

    @Test("the help lists every exit code")
    func help() {
        for exit in Exit.allCases where exit != .system {
            #expect(Exit.table.contains("\n  \(exit.rawValue) "), "\(exit)")
        }
    }

    @Test(
        "launch turns every kind of error into an exit code, a sentence and a hint",
        arguments: [
            (Failure(.setupFailed, "s", hint: "h"), .setupFailed, "s\nhint: h"),
            (Problem("p", hint: "h"), .unavailable, "p\nhint: h"),
            (APIError(.conflict, "a", hint: "h"), .unavailable, "a\nhint: h"),
            (HTTPError(.timedOut, "t"), .unavailable, "t"),
            (ConfigError(file: "c.yaml", message: "m"), .config, "c.yaml: m"),
            (Errno(2), .unavailable, "No such file or directory"),
        ] as [(any Error, Exit, String)])
    func wraps(error: any Error, exit: Exit, text: String) {
        let failure = Failure(wrapping: error)
        #expect(failure.exit == exit)
        #expect(failure.problem.description == text)
    }
}
