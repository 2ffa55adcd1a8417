import Glibc
import Shared
import TestSupport
import Testing

/// `pod-agent verify` for people and scripts.
@Suite(.timeLimit(.minutes(2))) struct VerifyTests {
    private static let fixtures = "\(Programs.package)/Tests/Fixtures/checkpoints"

    /// Copies the fixtures into the site's project.
    private static func copy(to site: Site) async throws {
        try await site.start(["cp", "-r", "\(fixtures)/.", site.project]).check()
        try await site.start(["chmod", "-R", "a+rX", site.project]).check()
    }

    @Test("pod-agent verify reports whole checkpoints and exits with 0")
    func whole() async throws {
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

    @Test("pod-agent verify names the damaged files and the missing checkpoint, and exits with 1")
    func damaged() async throws {
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

    @Test("pod-agent verify exits with 64 without a folder, and its --help explains the exit codes")
    func usage() async throws {
        try await Site.with { site in
            #expect(try await site.start([Programs.agent, "verify"]).end() == 64)
            let help = try site.start([Programs.agent, "verify", "--help"])
            #expect(try await help.end() == 0)
            #expect(help.text.contains("exit code 0 if all are, 1"))
        }
    }

    @Test("sha256sum --check accepts the output of pod-agent verify --sums, also for odd file names")
    func sums() async throws {
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

    @Test(
        "pod-agent verify names the file and the folder that the user may not read",
        .enabled(if: getuid() == 0, "only root can become another user"))
    func permissions() async throws {
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

    /// Makes files that claim much or have very many parts. Each needs several times the memory that is allowed.
    private static let hostile = """
        import struct
        def write(name, *parts):
            with open(name, "wb") as file:
                for part in parts: file.write(part)
        size = 30_000_000
        write("text.json", b'"', b"x" * size, b'"')
        write("number.json", b"8" * size)
        write("deep.json", b"[" * size)
        write("values.json", b"[" + b"1,{}," * (size // 5) + b"2]")
        write("name.safetensors", struct.pack("<Q", size), b'{"', b"x" * size)
        write("zeros.safetensors", struct.pack("<Q", 99_999_999), bytes(size))
        tensors = b",".join(b'"%d":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}' % (i, 2 * i, 2 * i + 1) for i in range(300_000))
        write("pieces.safetensors", struct.pack("<Q", len(tensors) + 2), b"{", tensors, b"}")
        shards = b",".join(b'"%d":"%s%d"' % (i, b"x" * 240, i) for i in range(100_000))
        write("model.bin.index.json", b'{"weight_map":{', shards, b"}}")
        write(".metadata", b"\\x80\\x04", *(b"\\x8c" + bytes([len(n)]) + n for n in (b"__%d_0.distcp" % i for i in range(300_000))), b".")
        member = b"PK\\1\\2" + bytes(42)
        count = 500_000
        write("members.npz", b"PK\\3\\4" + bytes(26), member * count,
            struct.pack("<4sQ12xQQQQ", b"PK\\6\\6", 44, count, count, 46 * count, 30),
            struct.pack("<4sIQI", b"PK\\6\\7", 0, 30 + 46 * count, 1), b"PK\\5\\6" + bytes(18))
        write("header.npy", b"\\x93NUMPY\\2\\0", struct.pack("<I", size), bytes(size))
        write("line.pkl", b"\\x80\\4I", b"8" * size)
        open("hole.bin", "wb").truncate(1_000_000_000)
        """

    @Test("pod-agent verify checks hostile files within 48 MiB of address space")
    func memory() async throws {
        try await Site.with { site in
            try await site.start(["python3", "-c", Self.hostile]).check()
            let verify = try site.start(["sh", "-c", "ulimit -v 49152; exec \(Programs.agent) verify --sums ."])
            #expect(try await verify.end() == 1)
            #expect(verify.text.split(separator: "\n").count == 13, "\(verify.errors)")
            #expect(verify.errors.hasPrefix(".: not whole (13 files, 11 of a known format)\n"), "\(verify.errors)")
        }
    }
}
