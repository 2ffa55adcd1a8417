import Glibc
import Shared
import TestSupport
import Testing

@Suite("volumes that refuse the log for a while", .serialized, .timeLimit(.minutes(5))) struct TortureLogTests {
    private func onDisk(
        _ name: String, bytes: Int = Trouble.much, makesGap: Bool = true, begin: (LoopDisk) async throws -> Void,
        end: (LoopDisk) async throws -> Void
    ) async throws {
        try await Site.with { site in
            // The disk is so large that the log alone never fills it.
            let disk = try LoopDisk(at: site, megabytes: 256)
            defer { disk.unmount() }
            let output = CountedOutput(at: site)
            var agent = try BareAgent(at: site, command: output.steadily(bytes), volume: disk.mountPoint)
            agent.spec.logs = LogRule(segment: 1 << 20)
            try await Trouble(agent: agent, output: output, makesGap: makesGap)
                .befalls(name, begin: { _ in try await begin(disk) }, end: { try await end(disk) })
        }
    }

    @Test(
        "a full disk does not slow the training, and the log counts the bytes that it lost",
        .enabled(if: LoopDisk.isAvailable, LoopDisk.reason))
    func fullDisk() async throws {
        try await onDisk("a full disk", begin: { try $0.fill() }, end: { try $0.free() })
    }

    /// The agent writes on into the segment that it has open, because it can begin no other one.
    @Test(
        "the log has every byte of the training although its disk is unmounted for a while",
        .enabled(if: LoopDisk.isAvailable, LoopDisk.reason))
    func unmountedDisk() async throws {
        try await onDisk(
            "an unmounted disk", bytes: 16 << 10, makesGap: false, begin: { $0.unmount() },
            end: { try $0.mountTheSame() })
    }

    /// For a while each write of the log, or each sync, fails with EIO.
    @Test(
        "disk errors do not slow the training, and each byte is in the log or counted as lost",
        .enabled(if: Torture.isAvailable, Torture.reason), arguments: ["pwrite64", "fdatasync"])
    func diskErrors(call: String) async throws {
        try await Site.with { site in
            let output = CountedOutput(at: site)
            var agent = try BareAgent(at: site, command: output.steadily(Trouble.much))
            agent.spec.logs = LogRule(segment: 1 << 20)
            var tracer: Running?
            try await Trouble(agent: agent, output: output, makesGap: call == "pwrite64").befalls(
                "EIO of \(call)",
                begin: { run in
                    let serve = try #require(ProcessStat.all().first { $0.parent == run.pid })
                    tracer = try site.start(
                        TortureCall.strace + [
                            "-o", "\(site.root)/trace", "-e", "trace=\(call)", "-e", "inject=\(call):error=EIO", "-p",
                            "\(serve.pid)",
                        ])
                },
                end: {
                    let tracer = try #require(tracer)
                    #expect(try File.read("\(site.root)/trace").text.contains("(INJECTED)"))
                    tracer.send(SIGINT)
                    try await tracer.end()
                })
        }
    }
}
