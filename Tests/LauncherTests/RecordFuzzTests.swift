import Foundation
import Shared
import TestSupport
import Testing

@testable import Launcher

/// Records with any numbers and texts, as a stranger's pod may write them. A crash is the failure that this looks for.
@Suite(.timeLimit(.minutes(2))) struct RecordFuzzTests {
    private static let numbers = ["2305843009213693951", "-2305843009213693951", "1e18", "-0.5", "0"]

    @Test("launch status and the summary print any record that can be decoded", arguments: [1, 2])
    func records(seed: Int) async throws {
        let test = try TestWorld()
        let run = try test.run()
        try run.log("0123456789")
        let claim = try run.claim()
        try run.record(claim) {
            $0.outcome = Outcome(.failed, exit: .signal(9), message: "\u{1b}[2J")
            $0.checkpoints = CheckpointCount(
                count: 1, newest: CheckpointReference(step: 200, path: "/w/checkpoint-200"))
            $0.bill = Bill(price: 1.5, billedBefore: 3)
            $0.step = 7
            $0.enter(.ended, at: RunFixture.began + 2.25)
            $0.lasted(61.5)
            var death = Death()
            death.teardown = TeardownReport(asked: RunFixture.began, startedAfter: 0.1)
            death.lostSteps = 3
            $0.death = death
        }
        let path = run.folder.recordPath(1)
        let content = try File.read(path)
        let digits = content.indices.filter { (0x30...0x39).contains(content[$0]) }
        var generator = SeededGenerator(seed: seed)
        var decoded = 0
        for _ in 0..<300 {
            let place = try #require(digits.randomElement(using: &generator))
            let end = content[place...].firstIndex { !(0x30...0x39).contains($0) } ?? content.endIndex
            let number = try #require(Self.numbers.randomElement(using: &generator))
            try File.write(Array(content[..<place]) + Array(number.utf8) + Array(content[end...]), over: path)
            guard (try? run.folder.readRecord(1)) != nil else { continue }
            decoded += 1
            let view = try await test.view(run)
            _ = try RunReport(of: view).text
            _ = try Summary(of: view).text
        }
        #expect(decoded > 50, "\(decoded)")
    }
}
