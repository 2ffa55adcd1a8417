import Glibc
import Shared
import TestSupport
import Testing

/// The output of `launch status --json`, as a script reads it.
struct RunStatus: Decodable {
    struct Pod: Decodable {
        var id: String
        var isRunning: Bool
        var address: String?
        var pid: Int32?
    }

    var run: RunID
    var state: String
    var isLive: Bool
    var pod: Pod?
    var logEnd: Int
    var attempts: [AttemptRecord]
    var notes: [String]?
}

/// One run of a site, seen from outside.
extension Site {
    var volume: Volume { Volume(root: "\(home)/volume") }

    func folder(_ run: String) throws -> RunFolder { volume.run(try #require(RunID(run))) }

    /// The log on the volume.
    func log(_ run: String) throws -> [UInt8] { try log(of: try folder(run)) }

    func log(of run: RunFolder) throws -> [UInt8] {
        let stream = try LogStream(of: run)
        var bytes: [UInt8] = []
        while case let more = try stream.read(at: bytes.count, limit: 1 << 20), !more.isEmpty { bytes += more }
        return bytes
    }

    func status(_ run: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> RunStatus {
        let status = try launch("status", run, "--json")
        try await status.check(sourceLocation: sourceLocation)
        return try JSON.decode(RunStatus.self, from: status.output)
    }

    /// Returns once the run's state is `state`.
    @discardableResult
    func reaches(
        _ state: String, _ run: String, within timeout: Duration = .seconds(30),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> RunStatus {
        var seen = ""
        return try await eventually(
            "\"\(run)\" \(state), it is \(seen)", within: timeout, every: .milliseconds(20),
            sourceLocation: sourceLocation
        ) {
            let status = try await status(run, sourceLocation: sourceLocation)
            seen = status.state
            return seen == state ? status : nil
        }
    }

    /// Every process of the run's pod, beginning with its first one.
    func pod(of run: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> [Int32] {
        let status = try await status(run, sourceLocation: sourceLocation)
        let pid = try #require(status.pod?.pid, sourceLocation: sourceLocation)
        return [pid] + ProcessStat.descendants(of: pid).map(\.pid)
    }

    /// Kills the whole pod like a power cut: no process sees another one die.
    func cutPower(_ run: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let pod = try await pod(of: run, sourceLocation: sourceLocation)
        for process in pod { kill(process, SIGSTOP) }
        for process in pod { kill(process, SIGKILL) }
        try await isGone(pod, sourceLocation: sourceLocation)
    }

    func isGone(
        _ processes: [Int32], within timeout: Duration = .seconds(5),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await eventuallyTrue(
            "the end of \(processes.map(Leftovers.commandLine))", within: timeout, every: .milliseconds(2),
            sourceLocation: sourceLocation
        ) { !processes.contains(where: ProcessStat.isRunning) }
    }
}
