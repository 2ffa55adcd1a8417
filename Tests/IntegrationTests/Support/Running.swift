import Glibc
import Shared
import TestSupport
import Testing

/// A program that a test started in its own session, with its output in two files.
final class Running: Sendable {
    let pid: Int32
    private let outputPath: String
    private let errorsPath: String

    /// The files are `folder/name.out` and `folder/name.err`.
    init(
        _ arguments: [String], environment: [String: String], in workingFolder: String, name: String, folder: String
    ) throws {
        let outputPath = "\(folder)/\(name).out"
        self.outputPath = outputPath
        errorsPath = "\(folder)/\(name).err"
        let output = try Errno.check { open(outputPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
        defer { close(output) }
        // The shell splits the two outputs and becomes the program.
        pid = try CleanSpawn(
            program: "/bin/sh", arguments: ["sh", "-c", #"exec "$@" 2>"$0""#, errorsPath] + arguments,
            environment: environment, folder: workingFolder, output: output
        ).start()
    }

    /// Its standard output so far.
    var output: [UInt8] { (try? File.read(outputPath)) ?? [] }
    var text: String { output.text }
    var errors: String { ((try? File.read(errorsPath)) ?? []).text }

    /// Whether it has not ended yet, also if no call of `end` has waited for it.
    var isRunning: Bool { ProcessStat.isRunning(pid) }

    func send(_ signal: Int32) { kill(pid, signal) }

    /// Sends a signal to its process group, as a terminal does that closes.
    func sendToSession(_ signal: Int32) { kill(-pid, signal) }

    /// Returns once its standard output holds `line`.
    func prints(
        _ line: String, within timeout: Duration = .seconds(30), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await eventuallyTrue(
            "\"\(line)\" on stdout; there is:\n\(text)\nand on stderr:\n\(errors)", within: timeout,
            sourceLocation: sourceLocation
        ) { text.contains(line) }
    }

    /// Waits for its end. Returns the exit code as a shell has it, and throws after `timeout`.
    @discardableResult
    func end(
        within timeout: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Int32 {
        try await eventually(
            "the end of \(Leftovers.commandLine(pid)); its stdout:\n\(text)\nstderr:\n\(errors)", within: timeout,
            every: .milliseconds(2), sourceLocation: sourceLocation
        ) {
            var status: Int32 = 0
            let ended = waitpid(pid, &status, WNOHANG)
            if ended == 0 { return nil }
            return Shared.ExitStatus(wait: status).shellCode
        }
    }

    /// Waits for its end, and fails the test unless the exit code is 0.
    func check(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let code = try await end(sourceLocation: sourceLocation)
        #expect(code == 0, "stdout:\n\(text)\nstderr:\n\(errors)", sourceLocation: sourceLocation)
    }
}
