import ArgumentParser
import HTTPClient
import Shared
import Testing

@testable import Launcher

@Suite struct ExitTests {
    @Test(
        arguments: [
            (Outcome(.finished, exit: .code(0)), 0), (Outcome(.failed, exit: .code(3)), 3),
            (Outcome(.failed, exit: .signal(9)), 137), (Outcome(.failed, exit: .signal(15)), 143),
            (Outcome(.stopped, exit: .code(0)), 130), (Outcome(.interrupted, exit: .code(0)), 143),
            (Outcome(.setupFailed, message: "x"), 73), (nil, 70),
            // Without the training's own code a failure must not look like success.
            (Outcome(.failed), 70), (Outcome(.finished), 0),
        ] as [(Outcome?, Int32)]) func code(of outcome: Outcome?, code: Int32)
    {
        #expect(Exit.code(of: outcome).rawValue == code)
    }

    @Test func helpNamesEveryCode() {
        for exit in Exit.allCases { #expect(Exit.table.contains("\n  \(exit.rawValue) "), "\(exit)") }
    }

    @Test(
        arguments: [
            (Failure(.setupFailed, "s", hint: "h"), .setupFailed, "s\nhint: h"),
            (Problem("p", hint: "h"), .unavailable, "p\nhint: h"),
            (APIError(.conflict, "a", hint: "h"), .unavailable, "a\nhint: h"),
            (HTTPError(.timedOut, "t"), .unavailable, "t"),
            (ConfigError(file: "c.yaml", message: "m"), .config, "c.yaml: m"),
            (Errno(2), .unavailable, "No such file or directory"),
        ] as [(any Error, Exit, String)]) func wraps(error: any Error, exit: Exit, text: String)
    {
        let failure = Failure(wrapping: error)
        #expect(failure.exit == exit)
        #expect(failure.problem.description == text)
    }
}
