import Glibc
import Shared
import TestSupport
import Testing

/// One pod for a run, whatever RunPod and other machines do.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Emulator.isAvailable, Emulator.reason))
struct PurchaseTests {
    /// Leaves a line in `count` each time that it begins.
    private static let counting = "command: 'echo x >> count; echo begun; sleep 3; echo done'"

    private func count(_ emulator: Emulator) throws -> Int {
        try File.read("\(try emulator.folder.work)/count").text.split(separator: "\n").count
    }

    /// The ids of the pods that ever claimed the run.
    private func owners(_ emulator: Emulator) throws -> Set<String> {
        Set(try emulator.folder.claims().map(\.pod))
    }

    @Test("a pod that was bought twice for one launch is deleted by any command, and never trains")
    func duplicate() async throws {
        try await Emulator.with { emulator in
            try emulator.config(Self.counting)
            let run = try emulator.launch("run")
            try await run.prints("begun")
            let first = try #require(try await emulator.pods().first?.id)
            try await emulator.duplicate(first)
            let list = try emulator.launch("ls", home: "other")
            try await list.check()
            #expect(list.errors.contains("was bought twice for one launch, and is deleted"))
            #expect(try await emulator.pods().first?.isGone == true)
            try await run.check()
            #expect(try count(emulator) == 1 && owners(emulator) == [first])
        }
    }

    @Test("two laptops that start one run at the same time get one pod that trains")
    func simultaneous() async throws {
        try await Emulator.with { emulator in
            try emulator.config(Self.counting)
            let runs = try ["home", "other"].map { try emulator.launch("run", home: $0) }
            var codes: [Int32] = []
            for run in runs { codes.append(try await run.end()) }
            #expect(codes.contains(0) && codes.allSatisfy { $0 == 0 || $0 == 69 })
            let pods = try await emulator.pods()
            #expect(pods.allSatisfy { $0.isGone && !$0.isBilled } && pods.count <= 2)
            #expect(try count(emulator) == 1 && owners(emulator).count == 1)
        }
    }

    @Test("launch waits for a free pod, and says what it tried")
    func waits() async throws {
        try await Emulator.with(#"{"soldOut": ["NVIDIA L40S"]}"#) { emulator in
            try emulator.config("command: echo trained")
            let short = try emulator.launch("run")
            #expect(try await short.end() == 75)
            #expect(short.errors.contains("tried: 1 × L40S, secure: no machine is free"))
            let run = try emulator.launch("run", "--wait", "2m")
            try await eventuallyTrue("a second try") { run.errors.contains("trying again in") }
            try await emulator.set(#"{"soldOut": []}"#)
            try await run.check()
            #expect(run.text.contains("\ntrained\n"))
        }
    }

    @Test("a launcher that is killed while it buys leaves one pod, which the next one takes")
    func killed() async throws {
        try await Emulator.with(#"{"pull": 2}"#) { emulator in
            try emulator.config(Self.counting)
            let first = try emulator.launch("run")
            try await eventuallyTrue("the purchase") { try await emulator.pods().count == 1 }
            first.send(SIGKILL)
            try await first.end()
            try await emulator.launch("run").check()
            #expect(try await emulator.pods().map(\.isGone) == [true])
            #expect(try count(emulator) == 1)
        }
    }
}
