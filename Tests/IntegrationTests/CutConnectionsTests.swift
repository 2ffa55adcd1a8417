import Glibc
import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

/// A proxy cuts every connection to the agent. The agent is killed and started again, each time with another address.
@Suite(.serialized, .timeLimit(.minutes(3))) struct CutConnectionsTests {
    /// Prints numbered lines at speed until the file `end` is there.
    private static let command = CommandForm.exec([
        "python3", "-c",
        """
        import os, sys, time
        number = 0
        while not os.path.exists(os.environ["SITE"] + "/end"):
            for _ in range(100):
                number += 1
                sys.stdout.write(f"line {number} " + "#" * (number % 90) + "\\n")
            sys.stdout.flush()
            time.sleep(0.002)
        """,
    ])

    @Test("launch attach prints the log byte for byte although connections are cut and the agent is killed twice")
    func attach() async throws {
        try await Site.with { site in
            let pod = try ProxiedPod(at: site, command: Self.command)
            try await pod.start()
            let attach = try site.launch("attach", "--from-start")
            for _ in 0..<2 {
                try await grows { attach.output.count }
                try await pod.cutPower()
                try await pod.start()
            }
            try await grows { attach.output.count }
            try await eventuallyTrue("ten connections that were cut") { pod.cuts >= 10 }
            try site.open("end")
            try await attach.check()
            try await pod.ends()
            let log = try site.log("bare")
            #expect(log.text.split(separator: "\n").count { $0.hasPrefix("======") } == 3)
            #expect(
                SHA256Digest(of: attach.output) == SHA256Digest(of: log), "\(attach.output.count) of \(log.count) bytes"
            )
            #expect(!attach.errors.contains("lost"))
        }
    }

    @Test("launch logs -f -o continues its file after each kill, and the file equals the log in the end")
    func logsIntoFile() async throws {
        try await Site.with { site in
            let pod = try ProxiedPod(at: site, command: Self.command)
            try await pod.start()
            let path = "\(site.root)/file"
            for turn in 0..<6 {
                let logs = try site.launch("logs", "-f", "-o", path)
                try await grows(by: 50_000) { File.status(path)?.size ?? 0 }
                logs.send(SIGKILL)
                #expect(try await logs.end() == 128 + SIGKILL)
                if turn == 2 {
                    try await pod.cutPower()
                    try await pod.start()
                }
            }
            let last = try site.launch("logs", "-f", "-o", path)
            try await grows(by: 50_000) { File.status(path)?.size ?? 0 }
            try site.open("end")
            try await last.check()
            try await pod.ends()
            #expect(SHA256Digest(of: try File.read(path)) == SHA256Digest(of: try site.log("bare")))
            #expect(last.output == [] && last.errors == "")
        }
    }

    private func grows(by bytes: Int = 300_000, _ size: () -> Int) async throws {
        let before = size()
        try await eventuallyTrue("\(bytes) bytes more than \(before)", every: .milliseconds(10)) {
            size() >= before + bytes
        }
    }
}

/// A pod behind a proxy that cuts every connection. Like a container that is started again, the pod outlives its agent.
private final class ProxiedPod: Sendable {
    private let site: Site
    private let agent: BareAgent
    private let home: FollowerHome
    private let state = Mutex<(running: Running?, proxy: CuttingProxy?, cuts: Int, starts: Int)>((nil, nil, 0, 0))

    init(at site: Site, command: CommandForm) throws {
        self.site = site
        agent = try BareAgent(at: site, command: command)
        home = try FollowerHome(site.home, of: agent, key: [UInt8].random(count: 32))
    }

    /// The number of connections that were cut so far.
    var cuts: Int { state.withLock { $0.cuts + ($0.proxy?.cuts ?? 0) } }

    /// Starts the agent, each time with another address. Returns once it owns the run.
    func start() async throws {
        let own = "\(site.root)/endpoint"
        try File.remove(own)
        let environment = try agent.environment().merging(home.environment) { $1 }
        let running = try site.start([Programs.agent], environment: environment)
        let address = try await eventually("the endpoint") { try? File.read(own).text.trimmed }
        let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
        let starts = state.withLock { state in
            state.starts += 1
            return state.starts
        }
        try await eventuallyTrue("attempt \(starts)") { try agent.folder.claims().count == starts }
        let proxy = try CuttingProxy(to: port, lives: 50...300, seed: starts)
        try home.leads(to: "http://127.0.0.1:\(proxy.port)")
        state.withLock { state in
            state.cuts += state.proxy?.cuts ?? 0
            (state.running, state.proxy) = (running, proxy)
        }
    }

    /// Kills all of the agent's processes at once.
    func cutPower() async throws {
        let running = try #require(state.withLock { $0.running })
        let processes = [running.pid] + ProcessStat.descendants(of: running.pid).map(\.pid)
        for process in processes { kill(process, SIGSTOP) }
        for process in processes { kill(process, SIGKILL) }
        #expect(try await running.end() == 128 + SIGKILL)
        try await site.isGone(processes)
    }

    func ends() async throws {
        try await #require(state.withLock { $0.running }).check()
    }
}
