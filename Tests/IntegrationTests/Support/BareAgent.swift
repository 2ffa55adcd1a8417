import Glibc
import Shared
import TestSupport
import Testing

/// The agent without `launch`. The test gives it the variables that a pod gets.
struct BareAgent {
    let site: Site
    var spec: RunSpec
    var pod = "pod-1"
    let token = "secret"
    /// The file into which the agent writes its API's address.
    var endpoint: String

    /// A failed training is not retried, unless the test changes `spec.retry`.
    ///
    /// `launch` is the launch id; a restart of the container keeps it. `volume` of nil is the site's own folder.
    init(
        at site: Site, run: String = "bare", command: CommandForm, launch: String = "launch-1", volume: String? = nil
    ) throws {
        self.site = site
        endpoint = "\(site.root)/endpoint"
        spec = RunSpec(
            run: try #require(RunID(run)), project: "test", command: command,
            volume: volume ?? "\(site.home)/volume", launch: LaunchOrder(id: launch))
        spec.retry = RetryPolicy(crash: 0, backoff: .seconds(1))
        try File.makeFolders(spec.volume)
    }

    var folder: RunFolder { Volume(root: spec.volume).run(spec.run) }
    var log: String { get throws { try site.log(of: folder).text } }

    func record(_ attempt: Int) throws -> AttemptRecord? { try folder.readRecord(attempt) }

    func environment() throws -> [String: String] {
        [
            "POD_AGENT_SPEC": try JSON.text(spec), "POD_AGENT_TOKEN_SHA256": SHA256Digest(of: token).description,
            "POD_AGENT_POD_ID": pod, "POD_AGENT_ENDPOINT_FILE": endpoint,
        ]
    }

    /// Starts it as an ordinary process.
    func start() throws -> Running { try site.start([Programs.agent], environment: try environment()) }

    /// Starts it as PID 1 of its own pid namespace, with the words of `wrapper` before it. `end` returns its exit code.
    func startAsFirst(under wrapper: [String] = [], with variables: [String: String] = [:]) throws -> Running {
        try site.start(
            wrapper + (try #require(Namespaces.unshare)) + ["--mount-proc", Programs.agent],
            environment: try environment().merging(variables) { $1 })
    }

    /// The pid, as this process sees it, of the PID 1 that `startAsFirst` started. Returns once that takes signals.
    ///
    /// Before PID 1 blocks a signal the kernel discards it, pid_namespaces(7). `unshare` blocks some signals too, but
    /// unblocks them before it becomes the agent.
    func first(_ unshare: Running, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Int32 {
        try await eventually("a PID 1", every: .milliseconds(1), sourceLocation: sourceLocation) {
            ProcessStat.descendants(of: unshare.pid)
                .first {
                    $0.parent == unshare.pid && Self.isAgent($0.pid)
                        && ProcessSignals(of: $0.pid)?.blocks(SIGTERM) == true
                }?.pid
        }
    }

    private static func isAgent(_ pid: Int32) -> Bool {
        (try? File.readLink("/proc/\(pid)/exe"))?.hasSuffix("pod-agent") == true
    }
}
