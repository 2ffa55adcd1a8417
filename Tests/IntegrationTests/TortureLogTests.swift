import Glibc
import Shared
import TestSupport
import Testing

/// A volume that does not take the log: the training prints on as if nothing were, and what could not be kept is counted to the byte.
@Suite(.serialized, .timeLimit(.minutes(5))) struct TortureLogTests {
    private func onDisk(
        _ name: String, bytes: Int = Trouble.much, makesGap: Bool = true, begin: (LoopDisk) async throws -> Void,
        end: (LoopDisk) async throws -> Void
    ) async throws {
        try await Site.with { site in
            // The log does not fill it by itself, however late its segments are sealed.
            let disk = try LoopDisk(at: site, megabytes: 256)
            defer { disk.unmount() }
            let output = CountedOutput(at: site)
            var agent = try BareAgent(at: site, command: output.steadily(bytes), volume: disk.mountPoint)
            agent.spec.logs = LogRule(segment: 1 << 20)
            try await Trouble(agent: agent, output: output, makesGap: makesGap)
                .befalls(name, begin: { _ in try await begin(disk) }, end: { try await end(disk) })
        }
    }

    @Test(.enabled(if: LoopDisk.isThere, LoopDisk.reason)) func fullAndFreed() async throws {
        try await onDisk("a full disk", begin: { try $0.fill() }, end: { try $0.free() })
    }

    /// The agent keeps what it has open there, and the log goes on in that, in one segment for as long as it can begin no other.
    @Test(.enabled(if: LoopDisk.isThere, LoopDisk.reason)) func unmountedUnderTheAgent() async throws {
        try await onDisk(
            "an unmounted disk", bytes: 16 << 10, makesGap: false, begin: { $0.unmount() },
            end: { try $0.mountTheSame() })
    }

    /// Each write of the log, or each sync, is answered with an error of the disk for a while.
    @Test(.enabled(if: Torture.isThere, Torture.reason), arguments: ["pwrite64", "fdatasync"])
    func errorsOfTheDisk(call: String) async throws {
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
