import Glibc
import HTTPClient
import Shared
import TestSupport
import Testing

/// The power goes after followers got bytes and before these bytes were on stable storage.
@Suite(
    "bytes that followers got and the volume lost", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: LoopDisk.isAvailable, LoopDisk.reason))
struct TortureLostBytesTests {
    /// Few bytes lie in one segment, many in several segments that are being sealed.
    @Test(
        "followers report how many of their bytes a loss of power took, and end with the bytes of the log",
        arguments: [1, 1000, 300_000])
    func lossOfPower(bytes: Int) async throws {
        var lost = 0
        for _ in 0..<Rounds.count(1, full: 10) {
            // Nothing is lost if the disk was quicker than the test.
            var tries = 0
            repeat {
                tries += 1
                lost = try await losing(bytes)
            } while lost == 0 && tries < 5
            #expect(lost > 0, "no follower was ahead of the disk")
            print("torture: \(bytes) bytes followed and not synced, \(lost) lost, at try \(tries)")
        }
    }

    /// Returns the number of lost bytes.
    private func losing(_ bytes: Int) async throws -> Int {
        var lost = 0
        try await Site.with { site in
            let disk = try LoopDisk(at: site)
            defer { disk.unmount() }
            let bed = try LosingPod(at: site, disk: disk, bytes: bytes)
            try await bed.start()
            let file = "\(site.root)/file"
            let logs = try bed.follow("logs", "-f", "-o", file)
            let attach = try bed.follow("attach", "--from-start")
            func haveAll() async throws {
                var sizes: [Int] = []
                var end = 0
                try await eventuallyTrue("all of \(end) bytes, there are \(sizes); \(logs.errors) \(attach.errors)") {
                    sizes = [File.status(file)?.size ?? 0, attach.output.count]
                    end = try LogStream(of: bed.agent.folder).end
                    return sizes.allSatisfy { $0 == end }
                }
            }
            try await bed.isDurable()
            try await haveAll()
            let synced = try LogStream(of: bed.agent.folder).end
            try site.open("print")
            try await eventuallyTrue("all printed", every: .milliseconds(1)) {
                try LogStream(of: bed.agent.folder).end == synced + bytes
            }
            try await haveAll()
            let seen = attach.output
            // Followers on a laptop would not see the disk go, so these are stopped meanwhile. They have no file
            // open on it, else it could not be unmounted.
            for follower in [logs, attach] { follower.send(SIGSTOP) }
            try await bed.losePower()
            let kept = try LogStream(of: bed.agent.folder).end
            lost = seen.count - kept
            try #require((0...bytes).contains(lost))
            try await bed.start()
            for follower in [logs, attach] { follower.send(SIGCONT) }
            try await eventuallyTrue("the second attempt in the file") {
                try File.read(file).text.contains("attempt 2 ")
            }
            try site.open("end")
            try await bed.end()
            try await logs.check()
            try await attach.check()

            let log = try site.log(of: bed.agent.folder)
            #expect(try bed.agent.folder.claims().map(\.logStart) == [0, kept])
            #expect(Array(log[..<kept]) == Array(seen[..<kept]))
            #expect(try File.read(file) == log)
            #expect(attach.output == seen + log[kept...])
            let told = lost > 0
            #expect(logs.errors.contains("launch: the last \(lost) bytes of \"\(file)\" were lost with a pod") == told)
            #expect(attach.errors.contains("launch: \(lost) bytes above were lost with a pod") == told)
        }
        return lost
    }
}

/// A pod on a disk that loses its power, and the followers of its log.
private final class LosingPod {
    let agent: BareAgent
    private let site: Site
    private let disk: LoopDisk
    private let home: FollowerHome
    private let holder: Running
    private var pod: Running?
    private var address = ""
    private let transport = CurlTransport()
    private var starts = 0

    /// The first training prints `bytes` bytes once the file `print` exists.
    init(at site: Site, disk: LoopDisk, bytes: Int) throws {
        self.site = site
        self.disk = disk
        var agent = try BareAgent(
            at: site,
            command: .exec([
                "python3", "-c",
                """
                import os, time
                site = os.environ["SITE"]
                def wait(name):
                    while not os.path.exists(f"{site}/{name}"): time.sleep(0.002)
                print("ready", flush=True)
                if not os.path.exists(f"{site}/printed"):
                    wait("print")
                    text = "".join(f"line {n}\\n" for n in range(\(bytes) // 6 + 1))
                    print(text[:\(bytes)], end="", flush=True)
                    open(f"{site}/printed", "w").close()
                wait("end")
                print("again")
                """,
            ]), volume: disk.mountPoint)
        agent.spec.logs = LogRule(segment: 32 << 10)
        self.agent = agent
        holder = try site.start(["sleep", "600"])
        home = try FollowerHome(site.home, of: agent, pod: "pod-2", holder: holder.pid, key: [UInt8].random(count: 32))
    }

    func follow(_ arguments: String...) throws -> Running { try site.start([Programs.launch] + arguments) }

    func start() async throws {
        try File.remove(agent.endpoint)
        pod = try site.start([Programs.agent], environment: try agent.environment().merging(home.environment) { $1 })
        starts += 1
        address = try await eventually("the endpoint: \(pod?.errors ?? "")") {
            try? File.read(agent.endpoint).text.trimmed
        }
        try await eventuallyTrue("attempt \(starts)") {
            try agent.folder.claims().count == starts && agent.record(starts)?.state == .training
        }
        try home.leads(to: address)
    }

    /// Returns once all output so far is on stable storage.
    func isDurable() async throws {
        try await eventuallyTrue("a training that waits") { try agent.log.hasSuffix("ready\n") }
        let request = HTTPRequest(
            "GET", "\(address)/v1/log", headers: [("Authorization", "Bearer \(home.token)"), ("Range", "bytes=-1")])
        try await eventuallyTrue("a log on stable storage") {
            let durable = try await transport.send(request).headers[APIHeader.logDurable]
            return try durable == "\(LogStream(of: agent.folder).end)"
        }
    }

    func losePower() async throws {
        try disk.cutPower()
        let pod = try #require(pod)
        let processes = [pod.pid] + ProcessStat.descendants(of: pod.pid).map(\.pid)
        for process in processes { kill(process, SIGKILL) }
        try await pod.end()
        try await site.isGone(processes)
        try disk.mountAgain()
    }

    func end() async throws {
        try await #require(pod).check()
        holder.send(SIGKILL)
        try await holder.end()
    }
}
