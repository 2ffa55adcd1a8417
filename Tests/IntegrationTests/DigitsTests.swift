import FoundationEssentials
import Glibc
import Shared
import TestSupport
import Testing

/// The example for real: real packages, a real training, interrupted in the middle.
@Suite(.timeLimit(.minutes(10))) struct DigitsTests {
    @Test func anInterruptedTrainingEndsWithTheSameBytes() async throws {
        try await Site.with { site in
            try await site.start(["cp", "-r", "\(Programs.package)/examples/digits/.", site.project]).check()
            // The example's own config, for fewer epochs, under two names.
            let config = try File.read("\(site.project)/config.yaml").text
                .replacing("python train.py", with: "python train.py --epochs 8")
            try site.write("project/reference.yaml", config.replacing("run: digits", with: "run: reference"))
            try site.config(config)

            let reference = try site.launch("run", "reference.yaml")
            #expect(try await reference.end(within: .seconds(300)) == 0, "\(reference.text)\(reference.errors)")
            #expect(reference.text.contains("(installing)\n"))

            let first = try site.launch("run")
            try await first.prints("epoch 4/8 done", within: .seconds(120))
            kill(try await site.pod(of: "digits")[0], SIGTERM)
            #expect(try await first.end(within: .seconds(6)) == 143)

            let typed = Date()
            let second = try site.launch("run")
            #expect(try await second.end(within: .seconds(120)) == 0, "\(second.text)\(second.errors)")
            #expect(second.text.contains("(found again)\n"))
            #expect(second.text.contains("RESUMING FROM: "))
            let status = try await site.status("digits")
            let began = try #require(status.attempts.last?.began(.training))
            print("timing: launch run to the training, environment found again: \(began.timeIntervalSince(typed)) s")
            #expect(began.timeIntervalSince(typed) < 2)
            #expect(try #require(status.attempts.last?.resumedFrom).step > 0)

            let weights = try ["reference", "digits"].map { run in
                try File.read(try site.folder(run).work + "/final/weights.npz")
            }
            #expect(!weights[0].isEmpty)
            #expect(weights[0] == weights[1])
        }
    }
}
