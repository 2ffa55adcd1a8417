import Foundation
import Shared
import TestSupport
import Testing

/// Models that cross a process or a disk as JSON.
@Suite struct ModelTests {
    private func spec(launch: LaunchOrder = LaunchOrder(id: "L1")) throws -> RunSpec {
        var spec = RunSpec(
            run: try #require(RunID("train")), project: "p", command: .shell("python train.py {resume}"),
            volume: "/volume", launch: launch)
        spec.resume = .exec(["--resume", "{checkpoint}"])
        spec.workdir = "sub"
        spec.code = PackedCode(sha256: "ab", size: 3)
        spec.dependencies = Dependencies(requirements: ["r.txt"])
        spec.checkpoints = CheckpointRule(path: "out")
        spec.env = ["A": "ü\n\"/"]
        spec.agentPort = 8001
        return spec
    }

    private func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
        try JSON.decode(Value.self, from: try JSON.encode(value))
    }

    @Test("a run's spec survives a round trip through JSON, which escapes no slash")
    func specs() throws {
        let order = LaunchOrder(id: "L2", force: true, supersedes: ["a", "b"])
        #expect(try roundTrip(spec(launch: order)) == spec(launch: order))
        let id = try #require(RunID("a"))
        let plain = RunSpec(
            run: id, project: "p", command: .exec([]), volume: "/v", launch: LaunchOrder(id: "L1"))
        #expect(try roundTrip(plain) == plain)
        #expect(try !JSON.text(plain).contains("\\/"))
    }

    @Test("the fingerprint of a spec ignores the launch and changes with every other key")
    func fingerprint() throws {
        let fingerprint = try spec().fingerprint
        #expect(try spec(launch: LaunchOrder(id: "L2", force: true, supersedes: ["x"])).fingerprint == fingerprint)
        let changes: [(inout RunSpec) -> Void] = [
            { $0.project = "q" }, { $0.command = .exec(["python train.py {resume}"]) }, { $0.resume = nil },
            { $0.workdir = "." }, { $0.code?.sha256 = "ac" }, { $0.dependencies.python = "python3.12" },
            { $0.checkpoints?.pattern = "*" }, { $0.env["B"] = "" }, { $0.volume = "/other" }, { $0.agentPort = 1 },
            { $0.provider = .runpod },
        ]
        for (index, change) in changes.enumerated() {
            var other = try spec()
            change(&other)
            #expect(try other.fingerprint != fingerprint, "change \(index)")
        }
    }

    @Test(
        "an exit status is a code or a signal in JSON",
        arguments: [
            ExitCase(.code(0), #"{"code":0}"#), ExitCase(.code(255), #"{"code":255}"#),
            ExitCase(.signal(9), #"{"signal":9}"#),
        ])
    func exits(_ exit: ExitCase) throws {
        #expect(try JSON.text(exit.status) == exit.json)
        #expect(try roundTrip(exit.status) == exit.status)
    }

    struct ExitCase: Sendable {
        var status: Shared.ExitStatus
        var json: String
        init(_ status: Shared.ExitStatus, _ json: String) { (self.status, self.json) = (status, json) }
    }

    @Test("a command is text in JSON for the shell and a list for exec")
    func commands() throws {
        #expect(try JSON.text([CommandForm.shell("a b")]) == #"["a b"]"#)
        #expect(try JSON.text(CommandForm.exec(["a", "b"])) == #"["a","b"]"#)
        #expect(throws: (any Error).self) { try JSON.decode(CommandForm.self, from: "3".utf8) }
    }

    @Test("the class of an outcome says whether it ends the launch and whether it is a fault")
    func outcomes() throws {
        let outcome = Outcome(.setupFailed, message: "no")
        #expect(try JSON.text(outcome) == #"{"class":"setup-failed","message":"no"}"#)
        #expect(try roundTrip(outcome) == outcome)
        #expect(OutcomeClass.allCases.filter { !$0.endsLaunch } == [.interrupted])
        #expect(OutcomeClass.allCases.filter(\.isFault) == [.failed, .outOfMemory, .stalled])
    }

    @Test("an API error is JSON with a code, a message and a hint")
    func apiErrors() throws {
        let error = APIError(.conflict, "lost", hint: "go on")
        #expect(try JSON.text(error) == #"{"error":{"code":"conflict","hint":"go on","message":"lost"}}"#)
        #expect(try roundTrip(error) == error)
    }

    @Test(
        "a run's name is 1 to 40 of a-z, 0-9 and \"-\"",
        arguments: ["a", "train-7", "0", "a-", String(repeating: "a", count: 40)])
    func names(_ text: String) throws {
        let id = try #require(RunID(text))
        #expect(id.description == text)
        #expect(try roundTrip([id]) == [id])
    }

    @Test(
        "a run's name with other characters or another length is refused, in JSON too",
        arguments: [
            "", "-", "-x", "--help", "A", "a_b", "a.b", "a/b", "..", "ü", "a b", "a\n",
            String(repeating: "a", count: 41),
        ])
    func notNames(_ text: String) throws {
        #expect(RunID(text) == nil)
        let json = try JSON.encode([text])
        #expect(throws: (any Error).self) { try JSON.decode([RunID].self, from: json) }
    }

    @Test("a time has milliseconds in JSON")
    func milliseconds() throws {
        let date = Date(timeIntervalSince1970: 1_800_000_000.123)
        #expect(try JSON.text([date]) == #"["2027-01-15T08:00:00.123Z"]"#)
        let read = try roundTrip([date])[0]
        #expect(abs(read.timeIntervalSince(date)) < 0.001)
        // A read time stays equal: a record may be read and written any number of times.
        #expect(try roundTrip([read]) == [read])
        #expect(throws: (any Error).self) { try JSON.decode([Date].self, from: #"["yesterday"]"#.utf8) }
    }

    @Test("a time does not drift when it is written and read many times", arguments: [0, 1, 499, 999])
    func noDrift(_ milliseconds: Int) throws {
        var date = Date(timeIntervalSince1970: 1_800_000_000 + Double(milliseconds) / 1000)
        let first = try JSON.text([date])
        for _ in 0..<10 { date = try roundTrip([date])[0] }
        #expect(try JSON.text([date]) == first)
    }
}
