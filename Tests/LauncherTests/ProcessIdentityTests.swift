import Foundation
import Shared
import TestSupport
import Testing

extension ProcessIdentity {
    /// This process.
    static func alive() throws -> Self { try #require(ProcessIdentity(pid: getpid())) }

    /// One that had this process's pid before it.
    static func dead() throws -> Self {
        var process = try alive()
        process.started -= 1
        return process
    }

    /// One whose pid counts in another container.
    static func elsewhere() throws -> Self {
        var process = try alive()
        process.namespace = "pid:[1]"
        return process
    }
}

@Suite struct ProcessIdentityTests {
    @Test func thisProcessLives() throws {
        #expect(try ProcessIdentity.alive().isAlive == true)
    }

    @Test func aLaterProcessWithTheSamePidIsAnotherOne() throws {
        #expect(try ProcessIdentity.dead().isAlive == false)
    }

    @Test func nothingIsKnownOfAnotherNamespace() throws {
        #expect(try ProcessIdentity.elsewhere().isAlive == nil)
    }

    @Test func noProcessOutlivesABoot() throws {
        var process = try ProcessIdentity.alive()
        process.boot = "another"
        // In a container it may be another machine's, with the same image.
        let isHost = process.namespace == "pid:[4026531836]" && process.machine != nil
        #expect(process.isAlive == (isHost ? false : nil))
    }

    @Test func aProcessThatWasNotWaitedForIsDead() async throws {
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

    @Test func survivesJSON() throws {
        let process = try ProcessIdentity.alive()
        #expect(try JSON.decode(ProcessIdentity.self, from: try JSON.encode(process)) == process)
    }
}
