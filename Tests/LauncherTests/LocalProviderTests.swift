#if os(Linux)
import Foundation
import Shared
import TestSupport
import Testing

@testable import Launcher

/// Pods of this machine, with a shell script as the agent.
@Suite(.timeLimit(.minutes(1))) struct LocalProviderTests {
    private let test: TestWorld
    private let home: String
    private let offer = Offer(text: "this machine")

    init() throws {
        test = try TestWorld()
        home = test.home
    }

    /// Makes a provider whose agent runs `script` and then sleeps. `OUT` is a folder for the script's files.
    private func provider(_ script: String = "") throws -> LocalProvider {
        let agent = "\(home)/agent"
        try File.write(Array("#!/bin/sh\nOUT='\(home)'\n\(script)\nexec sleep 600\n".utf8), over: agent)
        chmod(agent, 0o755)
        return LocalProvider(
            home: home, agent: agent,
            environment: ["PATH": "/usr/bin:/bin", "OWN": "a b\n=c", "POD_AGENT_POD_ID": "x", "POD_AGENT_NOTIFY": "x"])
    }

    private func order(_ launch: String = "launch-1", run: String = "demo") throws -> PodOrder {
        PodOrder(
            spec: RunSpec(
                run: try #require(RunID(run)), project: "p", command: .shell("true"), volume: "\(home)/volume",
                launch: LaunchOrder(id: launch)), place: .folder("\(home)/volume"))
    }

    private func identity(of pod: Pod) throws -> ProcessIdentity {
        let record = try #require(LocalPods(home: home).record(pod.id))
        return try #require(record.process)
    }

    /// Ends a pod's process and waits for it.
    private func end(_ pod: Pod) throws {
        let process = try identity(of: pod)
        kill(process.pid, SIGKILL)
        waitpid(process.pid, nil, 0)
    }

    /// Waits until the script's file `name` ends with a line "END". Returns the text before that line.
    private func written(_ name: String) async throws -> String {
        try await eventually("\"\(name)\" is written") { () -> String? in
            guard let text = try? File.read("\(home)/\(name)").text, text.hasSuffix("END\n") else { return nil }
            return String(text.dropLast(4))
        }
    }

    @Test("a local pod starts in a session of its own") func ownSession() async throws {
        let pod = try await provider("echo END > $OUT/up").create(try order(), at: offer)
        defer { try? end(pod) }
        _ = try await written("up")
        let process = try identity(of: pod)
        let stat = try #require(ProcessStat(pid: process.pid))
        #expect(stat.session == process.pid && stat.group == process.pid)
        #expect(process.isAlive == true)
        #expect(try File.readLink("/proc/\(process.pid)/cwd") == "\(home)/pods/local-launch-1")
        #expect(pod.isRunning && pod.id == "local-launch-1" && pod.launch == "launch-1" && pod.address == nil)
    }

    @Test("a local pod inherits no open file of the launcher")
    func descriptors() async throws {
        // This descriptor does not close on exec, so a plain spawn would pass it on.
        let leak = open("/dev/zero", O_RDONLY)
        defer { close(leak) }
        let provider = try provider("for f in /proc/$$/fd/*; do readlink $f; done > $OUT/fds; echo END >> $OUT/fds")
        let pod = try await provider.create(try order(), at: offer)
        defer { try? end(pod) }
        let targets = Set(try await written("fds").split(separator: "\n").map(String.init))
        // The shell itself has opened its script and the file that it prints to.
        #expect(
            targets.subtracting(["\(home)/agent", "\(home)/fds"])
                == ["/dev/null", "\(home)/pods/local-launch-1/console.log"])
    }

    /// Runs grep and no shell, as dash clears the signal mask that it inherits.
    @Test("a spawned program starts with no signal blocked or ignored")
    func signals() throws {
        let output = open("\(home)/signals", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(output) }
        let pid = try startFromAThreadThatBlocksSignals(
            CleanSpawn(
                program: "/bin/grep", arguments: ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"], environment: [:],
                folder: "/", output: output))
        waitpid(pid, nil, 0)
        // 32 and 33 belong to glibc, whose posix_spawn ignores them.
        #expect(
            try File.read("\(home)/signals").text == "SigBlk:\t0000000000000000\nSigIgn:\t0000000180000000\n")
    }

    /// Spawns from a thread that blocks all signals, as threads of Swift concurrency may, and ignores one.
    private func startFromAThreadThatBlocksSignals(_ spawn: CleanSpawn) throws -> pid_t {
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        signal(SIGUSR2, SIG_IGN)
        defer {
            signal(SIGUSR2, SIG_DFL)
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return try spawn.start()
    }

    @Test("a local pod gets the user's variables, the spec and the token's hash, but not the token")
    func variables() async throws {
        let provider = try provider("cat /proc/self/environ > $OUT/env; echo END >> $OUT/env")
        let order = try order()
        let pod = try await provider.create(order, at: offer)
        defer { try? end(pod) }
        let variables = try await written("env").split(separator: "\0").map(String.init)
        let token = try await provider.token(launch: "launch-1")
        for expected in [
            "OWN=a b\n=c", "POD_AGENT_POD_ID=local-launch-1", "POD_AGENT_SPEC=\(try JSON.text(order.spec))",
            "POD_AGENT_TOKEN_SHA256=\(SHA256Digest(of: token))",
            "POD_AGENT_ENDPOINT_FILE=\(home)/pods/local-launch-1/endpoint",
        ] { #expect(variables.contains(expected), "\(expected)") }
        #expect(!variables.contains { $0.contains(token) })
    }

    @Test("the output of a local pod is kept in a file that only the user may read")
    func console() async throws {
        let provider = try provider("seq 1 12; echo to stderr >&2; echo END > $OUT/done")
        let pod = try await provider.create(try order(), at: offer)
        defer { try? end(pod) }
        _ = try await written("done")
        #expect(await provider.lastWords(of: pod) == "4\n5\n6\n7\n8\n9\n10\n11\n12\nto stderr")
        #expect(try mode(of: "\(home)/pods/local-launch-1/console.log") == 0o600)
    }

    @Test("a local pod that ended at once is listed as ended, with its output")
    func endedAtOnce() async throws {
        let provider = try provider("echo no space; exit 3")
        let pod = try await provider.create(try order(), at: offer)
        try await eventuallyTrue("the pod ends") {
            try !File.read("\(home)/pods/\(pod.id)/console.log").isEmpty
        }
        if let pid = LocalPods(home: home).record(pod.id)?.process?.pid { waitpid(pid, nil, 0) }
        let later = try #require(try await provider.pods().first)
        #expect(!later.isRunning)
        #expect(await provider.lastWords(of: later) == "no space")
    }

    @Test("a later launch finds a local pod with its address and whether it runs")
    func foundAgain() async throws {
        let pod = try await provider("printf 'http://127.0.0.1:7\\n' > endpoint; echo END > $OUT/up")
            .create(try order(), at: offer)
        _ = try await written("up")
        let process = try identity(of: pod)
        let again = try #require(try await provider().pods().first)
        #expect(again.address == "http://127.0.0.1:7")
        #expect(try identity(of: again) == process)
        #expect(again.isRunning && again.place == .folder("\(home)/volume"))
        try end(pod)
        #expect(try await provider().pods().map(\.isRunning) == [false])
    }

    @Test("a local pod without a recorded process is known by its claim") func knownByClaim() async throws {
        let pod = try await provider().create(try order(), at: offer)
        let process = try identity(of: pod)
        let path = "\(home)/pods/\(pod.id)/pod.json"
        let record = try File.read(path).text
        let start = try #require(record.range(of: "  \"process\""))
        let finish = try #require(record.range(of: "},\n", range: start.lowerBound..<record.endIndex))
        try File.write(
            Array(record.replacingCharacters(in: start.lowerBound..<finish.upperBound, with: "").utf8), over: path)
        #expect(try await provider().pods().map(\.isRunning) == [false])
        try test.run().claim(pod: pod.id, process: process)
        #expect(try await provider().pods().map(\.isRunning) == [true])
        kill(process.pid, SIGKILL)
        waitpid(process.pid, nil, 0)
    }

    @Test("creating a local pod removes the run's ended pods and no others")
    func oldPods() async throws {
        let provider = try provider()
        let old = try await provider.create(try order("launch-1"), at: offer)
        let other = try await provider.create(try order("launch-2", run: "other"), at: offer)
        try end(old)
        try end(other)
        let new = try await provider.create(try order("launch-3"), at: offer)
        #expect(try File.list("\(home)/pods") == ["local-launch-2", "local-launch-3"])
        let newer = try await provider.create(try order("launch-4"), at: offer)
        #expect(
            try File.list("\(home)/pods") == ["local-launch-2", "local-launch-3", "local-launch-4"],
            "one that runs is not removed")
        #expect(try await provider.pods().map(\.id) == ["local-launch-4", "local-launch-3", "local-launch-2"])
        try end(new)
        try end(newer)
    }

    @Test("creating a local pod without an agent fails with a hint and writes nothing")
    func noAgent() async throws {
        let provider = LocalProvider(home: home, agent: "\(home)/nothing", environment: [:])
        let problem = try await #require(throws: Problem.self) { try await provider.create(try order(), at: offer) }
        #expect(
            problem.description == """
                there is no pod-agent at "\(home)/nothing"
                hint: put it beside launch, or set POD_AGENT to its path
                """)
        #expect(try File.list(home) == [])
    }

    @Test("creating a local pod fails if the agent's path is no program")
    func notAProgram() async throws {
        let provider = LocalProvider(home: home, agent: "/tmp", environment: [:])
        let problem = try await #require(throws: Problem.self) { try await provider.create(try order(), at: offer) }
        #expect(problem.sentence == "could not run \"/tmp\" in \"\(home)/pods/local-launch-1\": Permission denied")
    }

    @Test("the preview of a local pod shows no secret and writes nothing")
    func preview() async throws {
        let provider = try provider()
        let before = try File.list(home)
        let text = try provider.preview(try order("dry-run"), at: offer).text
        #expect(try File.list(home) == before, "no key was made")
        #expect(!text.contains(try await provider.token(launch: "dry-run")))
        #expect(!text.contains("OWN"), "the user's own variables are none of a preview's business")
        #expect(text.contains("\"POD_AGENT_TOKEN_SHA256\" : \"(SHA-256 of the launch's token)\""))
    }

    /// `launch` may run in a pod itself.
    @Test("a local pod does not inherit the variables of another agent")
    func otherAgent() async throws {
        let provider = try provider(#"printf '%s\n' "${POD_AGENT_NOTIFY-unset}" > $OUT/n; echo END >> $OUT/n"#)
        let pod = try await provider.create(try order(), at: offer)
        defer { try? end(pod) }
        #expect(try await written("n") == "unset\n")
    }

    @Test("the URLs of notify reach a local pod's agent, and no preview and no file shows them")
    func notify() async throws {
        var order = try order()
        order.notify = ["https://example.com/secret?a=b"]
        let provider = try provider(#"printf '%s\n' "$POD_AGENT_NOTIFY" > $OUT/n; echo END >> $OUT/n"#)
        let preview = try provider.preview(order, at: offer).text
        #expect(preview.contains("https://example.com/…"))
        #expect(!preview.contains("/secret"))
        let pod = try await provider.create(order, at: offer)
        defer { try? end(pod) }
        #expect(try await written("n") == "[\"https://example.com/secret?a=b\"]\n")
        for name in try File.list("\(home)/pods/\(pod.id)") {
            #expect(!(try File.read("\(home)/pods/\(pod.id)/\(name)").text.contains("/secret")))
        }
    }

    @Test("a home that does not exist has no local pods")
    func noHome() async throws {
        let provider = LocalProvider(home: "\(home)/none", agent: "x", environment: [:])
        #expect(try await provider.pods() == [])
    }

    @Test("folders without a readable record are not taken for local pods")
    func notAPod() async throws {
        try File.makeFolders("\(home)/pods/stray")
        try File.makeFolders("\(home)/pods/torn")
        try File.write(Array("{".utf8), over: "\(home)/pods/torn/pod.json")
        #expect(try await provider().pods() == [])
    }

    private func mode(of path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }
}
#endif
