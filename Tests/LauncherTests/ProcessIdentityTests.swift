import Foundation
import Shared
import TestSupport
import Testing

extension ProcessIdentity {
    /// This process.
    static func alive() throws -> Self { try #require(ProcessIdentity(pid: getpid())) }

    /// An earlier process with this process's pid.
    static func dead() throws -> Self {
        var process = try alive()
        process.started -= 1
        return process
    }

    /// A process with this process's pid in another container.
    static func elsewhere() throws -> Self {
        var process = try alive()
        process.namespace = "pid:[1]"
        return process
    }
}

@Suite struct ProcessIdentityTests {
    @Test("the current process counts as alive")
    func alive() throws {
        #expect(try ProcessIdentity.alive().isAlive == true)
    }

    @Test("a process whose pid was reused counts as dead")
    func reusedPid() throws {
        #expect(try ProcessIdentity.dead().isAlive == false)
    }

    @Test("a process of another PID namespace counts neither as alive nor as dead")
    func otherNamespace() throws {
        #expect(try ProcessIdentity.elsewhere().isAlive == nil)
    }

    @Test("a process of an earlier boot counts as dead outside a container")
    func otherBoot() throws {
        var process = try ProcessIdentity.alive()
        process.boot = "another"
        // In a container the boot may be that of another machine with the same image.
        let isHost = process.namespace == "pid:[4026531836]" && process.machine != nil
        #expect(process.isAlive == (isHost ? false : nil))
    }

    @Test("a killed process counts as dead while it is a zombie")
    func zombie() async throws {
        let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(null) }
        let pid = try CleanSpawn(
            program: "/bin/sleep", arguments: ["sleep", "600"], environment: [:], folder: "/", output: null
        ).start()
        defer { waitpid(pid, nil, 0) }
        let identity = try #require(ProcessIdentity(pid: pid))
        #expect(identity.isAlive == true)
        kill(pid, SIGKILL)
        try await eventually { identity.isAlive == false ? true : nil }
        #expect(kill(pid, 0) == 0, "it is a zombie")
        #expect(ProcessIdentity(pid: pid) == nil)
    }

    @Test("a process's identity survives a round trip through JSON")
    func roundTrip() throws {
        let process = try ProcessIdentity.alive()
        #expect(try JSON.decode(ProcessIdentity.self, from: try JSON.encode(process)) == process)
    }
}
