import Glibc
import Shared

@testable import Agent

/// Runs commands as plain children, with their output in a file.
struct SpawningRunner: JobRunner {
    let output: String

    func run(_ arguments: [String], environment: [String: String], folder: String) async throws -> Shared.ExitStatus {
        try await DedicatedThread.run { [output] in
            let file = try Errno.check { open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
            defer { close(file) }
            let pid = try Job(arguments: arguments, environment: environment, folder: folder, output: file).spawn()
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            return Shared.ExitStatus(wait: status)
        }
    }

    func capture(
        _ arguments: [String], environment: [String: String], folder: String
    ) async throws -> (Shared.ExitStatus, [UInt8]) {
        let captured = SpawningRunner(output: output + ".captured")
        try File.remove(captured.output)
        let status = try await captured.run(arguments, environment: environment, folder: folder)
        return (status, try File.read(captured.output))
    }
}
