import Glibc
import Shared
import TestSupport
import Testing

/// `pod-agent verify`, for a person and for scripts.
@Suite(.timeLimit(.minutes(2))) struct VerifyTests {
    private static let fixtures = "\(Programs.package)/Tests/Fixtures/checkpoints"

    /// The project's folder of the site gets a copy of the fixtures.
    private static func copy(to site: Site) async throws {
        try await site.start(["cp", "-r", "\(fixtures)/.", site.project]).check()
    }

    @Test func wholeOnes() async throws {
        try await Site.with { site in
            try await Self.copy(to: site)
            let verify = try site.start([Programs.agent, "verify", "trainer", "./sharded/", "single/last.ckpt"])
            #expect(try await verify.end() == 0)
            #expect(
                verify.text == """
                    trainer: whole (7 files, 7 of a known format)
                    ./sharded/: whole (4 files, 4 of a known format)
                    single/last.ckpt: whole (1 file, 1 of a known format)

                    """)
            #expect(verify.errors.isEmpty)
        }
    }

    @Test func aDamagedOneAMissingOneAndAWholeOne() async throws {
        try await Site.with { site in
            try await Self.copy(to: site)
            truncate("\(site.project)/trainer/model.safetensors", 180)
            try File.remove("\(site.project)/trainer/config.json")
            try site.write("project/trainer/config.json", "{\"a\": [")
            try site.write("project/trainer/notes.txt", "")
            let verify = try site.start([Programs.agent, "verify", "trainer", "none", "single"])
            #expect(try await verify.end() == 1)
            #expect(
                verify.text == """
                    trainer: not whole (8 files, 7 of a known format)
                      config.json: ends in the middle of its JSON
                      model.safetensors: header says 32 bytes of data, the file has 20
                      note: notes.txt: is empty
                    none: not whole: could not read "none": No such file or directory
                    single: whole (7 files, 7 of a known format)

                    """)
        }
    }

    @Test func usage() async throws {
        try await Site.with { site in
            #expect(try await site.start([Programs.agent, "verify"]).end() == 64)
            let help = try site.start([Programs.agent, "verify", "--help"])
            #expect(try await help.end() == 0)
            #expect(help.text.contains("exit code 0 if all are, 1 if one is not"))
        }
    }

    @Test func sumsAreForSha256sum() async throws {
        try await Site.with { site in
            try await Self.copy(to: site)
            try site.write("project/single/odd \\ name\nline", "x")
            let verify = try site.start([Programs.agent, "verify", "--sums", "trainer", "distributed/", "single"])
            #expect(try await verify.end() == 0)
            #expect(verify.errors.hasPrefix("trainer: whole (7 files, 7 of a known format)\n"))
            try site.write("project/sums", verify.text)
            let check = try site.start(["sha256sum", "--check", "--strict", "sums"])
            #expect(try await check.end() == 0, "\(check.text)\(check.errors)")
            #expect(check.text.split(separator: "\n").count == 17)
            try site.write("project/trainer/config.json", "{}")
            #expect(try await site.start(["sha256sum", "--check", "--status", "sums"]).end() == 1)
        }
    }

    /// As somebody who may not read one file.
    @Test(.enabled(if: getuid() == 0, "only root can become somebody else"))
    func withoutPermission() async throws {
        try await Site.with { site in
            try await Self.copy(to: site)
            try site.copy(Programs.agent, to: "pod-agent")
            chmod("\(site.project)/trainer/optimizer.pt", 0)
            chmod("\(site.project)/sharded", 0)
            let nobody = [
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "\(site.root)/pod-agent", "verify",
            ]
            let verify = try site.start(nobody + ["trainer", "sharded"])
            #expect(try await verify.end() == 1)
            #expect(
                verify.text == """
                    trainer: not whole (7 files, 6 of a known format)
                      optimizer.pt: could not be read: Permission denied
                    sharded: not whole: could not list folder "sharded": Permission denied

                    """)
            chmod("\(site.project)/sharded", 0o755)
        }
    }

    /// A gigabyte of which all is a hole, in less memory than that.
    @Test func littleMemory() async throws {
        try await Site.with { site in
            try site.write("project/big/a.bin", "")
            truncate("\(site.project)/big/a.bin", 1_000_000_000)
            let limited = "ulimit -v 65536; exec \(Programs.agent) verify --sums big"
            try await site.start(["sh", "-c", limited]).check()
        }
    }
}
