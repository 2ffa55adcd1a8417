import FoundationEssentials
import Shared
import TestSupport
import Testing

@Suite(
    "checkpoints of the newest libraries and frameworks",
    .timeLimit(.minutes(20)),
    .enabled(
        if: ProcessEnvironment.all["TORTURE"] == "full", "\"make torture\" runs it: it installs a gigabyte of packages")
)
struct TortureCheckpointTests {
    @Test("pod-agent verify finds checkpoints of the newest libraries whole and knows the format of each file")
    func newestLibraries() async throws {
        try await Site.with { site in
            let python = try await TorchEnvironment.python(at: site)
            let make = try site.start(
                [python, "\(Programs.package)/Tests/Fixtures/make_checkpoints.py", "saved", "--frameworks"])
            #expect(try await make.end(within: .seconds(200)) == 0, "\(make.text)\(make.errors)")
            print("torture: \(make.text)")

            let saved = try File.list("\(site.project)/saved")
            #expect(saved.count == 9)
            let verify = try site.start([Programs.agent, "verify"] + saved.map { "saved/\($0)" })
            #expect(try await verify.end() == 0, "\(verify.text)")
            let verdicts = verify.text.split(separator: "\n").filter { $0.hasPrefix("saved/") }
            #expect(verdicts.count == saved.count)
            // The numbers are those of all files and of the files of a known format.
            for verdict in verdicts {
                let numbers = verdict.split(separator: "(")[1].split { !$0.isNumber }
                #expect(numbers.count == 2 && numbers[0] == numbers[1], "\(verdict)")
            }
        }
    }
}
