import Glibc
import Shared
import TestSupport
import Testing

/// A run whose agent this machine's records do not show. All commands give the same answer about it.
@Suite(.serialized, .timeLimit(.minutes(4))) struct OutOfSightTests {
    private static let command = #"while [ ! -e "$SITE/end" ]; do echo tick; sleep 0.1; done"#

    @Test("every command takes a run for live whose pod records are deleted, and stop ends it")
    func deletedRecords() async throws {
        try await Site.with { site in
            try site.config("run: away\nresources: {volume: {path: ../shared}}\ncommand: \(Self.yaml)\n")
            try await site.launch("run", "--detach").check()
            try File.removeTree("\(site.home)/pods")
            let followers = try await expectLive(site, "away")
            let again = try site.launch("run", "--detach")
            try await again.check()
            #expect(again.errors == "launch: \"away\" is training already; attached\n")
            try await site.launch("stop").check()
            #expect(try await followers[0].end() == 0)
            #expect(try await followers[1].end() == 130, "\(followers[1].errors)")
            #expect(try await site.status("away").state == "stopped")
        }
    }

    @Test("every command takes a run of another LAUNCH_HOME for live, and stop names the place where it can be stopped")
    func otherHome() async throws {
        try await Site.with { site in
            try site.config("run: away\nresources: {volume: {path: ../shared}}\ncommand: \(Self.yaml)\n")
            try await site.launch("run", "--detach").check()
            let other = ["LAUNCH_HOME": "\(site.root)/other"]
            let again = try site.launch("run", "--detach", environment: other)
            try await again.check()
            #expect(again.errors == "launch: \"away\" is training already; attached\n")
            let followers = try await expectLive(site, "away", other)
            let stop = try site.launch("stop", environment: other)
            #expect(try await stop.end() == 69)
            #expect(stop.errors.hasSuffix("hint: stop it where it was started\n"), "\(stop.errors)")
            try await site.launch("stop").check()
            #expect(try await followers[0].end() == 0)
            #expect(try await followers[1].end() == 130, "\(followers[1].errors)")
            let status = try site.launch("status", environment: other)
            try await status.check()
            #expect(status.text.contains("  stopped\n"))
        }
    }

    @Test(
        "every command takes a run of another container for live while its heartbeat changes, and then for unknown",
        .enabled(if: Namespaces.areAvailable, Namespaces.reason))
    func otherContainer() async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: .shell(Self.command))
            let home = try FollowerHome(site.home, of: agent, key: [UInt8].random(count: 32))
            let container = try agent.startAsFirst(with: home.environment)
            try await eventuallyTrue("the training") { try agent.record(1)?.state == .training }
            try File.removeTree("\(site.home)/pods")
            let followers = try await expectLive(site, "bare")
            let first = try await agent.first(container)
            let processes = [first] + ProcessStat.descendants(of: first).map(\.pid)
            for process in processes { kill(process, SIGSTOP) }
            for process in processes { kill(process, SIGKILL) }
            _ = try await container.end()
            for follower in followers { #expect(try await follower.end() == 70) }
            try await expectUnknown(site, "bare")
        }
    }

    /// The command as a value of YAML.
    private static let yaml = "'\(command)'"

    /// Returns `logs -f` and `attach`, which have printed lines of the run that came after they began.
    private func expectLive(
        _ site: Site, _ run: String, _ environment: [String: String] = [:]
    ) async throws -> [Running] {
        let followers = try [
            site.launch("logs", "-f", run, environment: environment),
            site.launch("attach", run, environment: environment),
        ]
        let status = try site.launch("status", run, environment: environment)
        let list = try site.launch("ls", environment: environment)
        try await status.check()
        #expect(status.text.contains("  training\n"), "\(status.text)")
        try await list.check()
        #expect(list.text.contains("\(run)  training  1 "), "\(list.text)")
        for follower in followers {
            try await follower.prints("tick\n")
            let before = follower.output.count
            try await eventuallyTrue("new lines; \(follower.errors)") { follower.output.count > before + 20 }
        }
        return followers
    }

    private func expectUnknown(_ site: Site, _ run: String) async throws {
        let status = try site.launch("status", run)
        let list = try site.launch("ls")
        let others = try [["logs", "-f", run], ["attach", run], ["stop", run]].map {
            try site.start([Programs.launch] + $0)
        }
        try await status.check()
        #expect(status.text.contains("  unknown\n"), "\(status.text)")
        try await list.check()
        #expect(list.text.contains("\(run)  unknown  1 "), "\(list.text)")
        for other in others { #expect(try await other.end() == 70, "\(other.errors)") }
    }
}
