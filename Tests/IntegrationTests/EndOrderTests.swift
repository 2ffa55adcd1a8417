import Shared
import TestSupport
import Testing

@Suite("the order in which the end of a run is made durable", .serialized, .timeLimit(.minutes(2)))
struct EndOrderTests {
    private static let strace = (try? Command.run(TortureCall.strace + ["-o", "/dev/null", "true"]).code) == 0

    @Test(
        "the agent syncs the exit code, then the checkpoint, then the log, then the record of the end",
        .enabled(if: strace, "strace is not there, or may not trace"))
    func order() async throws {
        try await Site.with { site in
            var agent = try BareAgent(
                at: site,
                command: .shell(
                    "mkdir -p out/checkpoint-10/inner; echo w > out/checkpoint-10/inner/weights; echo old > out/checkpoint-9"
                ))
            agent.spec.checkpoints = CheckpointRule(path: "out")
            let trace = "\(site.root)/trace"
            let traced = TortureCall.strace + ["-s", "8192", "-o", trace, "-e", "trace=write,pwrite64,fsync,fdatasync"]
            try await site.start(traced + [Programs.agent], environment: try agent.environment()).check()

            let lines = try File.read(trace).text.split(separator: "\n")
            func index(_ what: String, after start: Int = 0, _ body: (Substring) -> Bool) throws -> Int {
                try #require(lines.indices.dropFirst(start).first { body(lines[$0]) }, "\(what)")
            }
            /// Returns the index of the record's first sync after `text` was written into it.
            func record(_ text: String) throws -> Int {
                let written = try index("the record with \(text)") {
                    $0.contains("0001.json.new>") && $0.contains("write(") && $0.contains(text)
                }
                return try index("its sync", after: written) { $0.contains("0001.json.new>") && $0.contains("fsync(") }
            }
            let exit = try record(#"\"exit\" : {\n      \"code\" : 0"#)
            let ended = try record(#"\n  \"state\" : \"ended\""#)
            let weights = try index("the checkpoint's file") {
                $0.contains("fsync(") && $0.contains("/out/checkpoint-10/inner/weights>")
            }
            let folder = try index("the folder of the checkpoints") {
                $0.contains("fsync(") && $0.contains("/work/out>")
            }
            let line = try index("the last line") {
                $0.contains("pwrite64(") && $0.contains("EXIT_CODE=0") && $0.contains("-a0001.log>")
            }
            let log = try index("the log's sync", after: line) {
                $0.contains("fdatasync(") && $0.contains("-a0001.log>")
            }
            #expect(exit < weights && weights < folder && folder < line && line < log && log < ended)
            #expect(!lines.contains { $0.contains("fsync(") && $0.contains("checkpoint-9>") })
        }
    }
}
