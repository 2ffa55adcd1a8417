import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct ProgressReaderTests {
    private static func step(_ text: String, pattern: String? = nil) throws -> Double? {
        var reader = try ProgressReader(pattern: pattern)
        reader.read(Array(text.utf8)[...])
        reader.read([])
        return reader.progress.step
    }

    @Test(
        "the training's step is read from the usual forms of output",
        arguments: [
            ("step 120 epoch 3 loss 0.2", 120), ("Step: 1,200", 1200), ("global_step=5", 5),
            ("STEP=1_000 lr 1e-4", 1000),
            ("[2026-11-25 10:00:00] step #7.", 7), ("Training step [12/500]", 12), ("step 12/500, loss 3", 12),
            ("steps are great, step 9", 9), ("footsteps 4 step 5", 5), ("{'step': 120, 'loss': 0.5}", 120),
            (#"{"loss": 0.5, "step":120}"#, 120), (#"{"global_step": "120"}"#, 120), ("step 0", 0),
            ("étape… step: 3", 3),
            ("{'loss': 0.5, 'epoch': 1.25}", 1.25), (#"{"loss": 0.5, "epoch": 2}"#, 2),
            ("{'loss': '0.5', 'epoch': '1.25'}", 1.25),
            (" 12%|███▏      | 120/1000 [00:10<01:20, 11.0it/s]", 120),
            ("  0%|          | 0/1000 [00:00<?, ?it/s]\r  1%|▏         | 10/1000 [00:01<01:20, 11.0it/s]", 10),
            ("\r\rEpoch 1: 50%|█████     | 5/10 [00:10<00:10, loss=0.2/0.3]\r", 5),
            ("step 1\nstep 2\nsaved\n", 2), ("step 1\r\nstep 2\r\n", 2), ("step 3\nhalf a li", 3),
        ])
    func usualForms(_ text: String, _ step: Double) throws {
        #expect(try Self.step(text) == step)
    }

    @Test(
        "no step is read from a training's output that has none",
        arguments: [
            "", "\n\r\n", "alive", "steps are great", "2026-11-25 10:00:00 heartbeat 17", "step", "step:",
            "step by step",
            "step -1", "footstep", "epoch 3", "'epoch': 3", "{'epoch': nan}", "{'loss': 0.5}",
            "a | b 12 [x]", "loss 3/4 [x]", "|/[", "| /", "1.2M/5M [ |", "step .", "step ,5", "https://x/step/two",
        ])
    func withoutStep(_ text: String) throws {
        #expect(try Self.step(text) == nil)
    }

    @Test(
        "the training's step is read by the config's pattern",
        arguments: [
            (#"it (\d+)/"#, "it 12/50\n", 12), (#"it (\d+)/"#, "it 12/50\nstep 99\n", 12),
            (#"n=([\d,]+)"#, "n=1,200", 1200),
            (#"loss.*i (\d+)"#, "loss 2 i 7\rloss 1 i 8\r", 8), (#"(?:a|b) (\d+\.\d+)"#, "b 1.5", 1.5),
        ])
    func pattern(_ pattern: String, _ text: String, _ step: Double) throws {
        #expect(try Self.step(text, pattern: pattern) == step)
    }

    @Test(
        "no step is read if the config's pattern gives no number",
        arguments: [
            (#"it (\d+)"#, "step 5"), (#"it \d+"#, "it 5"), (#"it (\w+)"#, "it five"), (#"it( \d+)?"#, "it x"),
        ])
    func patternWithoutStep(_ pattern: String, _ text: String) throws {
        #expect(try Self.step(text, pattern: pattern) == nil)
    }

    @Test("a broken pattern for the step is an error")
    func brokenPattern() {
        #expect(throws: Problem.self) { try ProgressReader(pattern: "step (") }
    }

    /// The agent does this once a second.
    @Test(
        "the training's step is read from a full tail of any output in 50 ms, or 3 s in a debug build",
        arguments: ["short", "braces", "steps", "long", "binary", "bars"])
    func speed(_ kind: String) throws {
        let size = OutputTail.capacity
        var generator = SeededGenerator(seed: 1)
        let unit: [UInt8] =
            switch kind {
            case "short": Array("2026-11-25 10:00:00 heartbeat of the loader\n".utf8)
            case "braces": Array("{'loss': 0.5, 'rate': 0.1, 'speed': 12}\n".utf8)
            case "steps": Array("step step step step step step step step\n".utf8)
            case "bars": Array("|||||||||||///////////|||||||||||||||\r".utf8)
            case "long": [UInt8](repeating: 0x73, count: size)
            default: (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
        let bytes = Array(repeating: unit, count: size / unit.count + 1).joined().prefix(size)
        var reader = try ProgressReader(pattern: nil)
        let text = Array(bytes)[...]
        let took = ContinuousClock().measure { reader.read(text) }
        #expect(reader.progress.step == nil || kind == "binary")
        #if DEBUG
        #expect(took < .seconds(3))
        #else
        #expect(took < .milliseconds(50))
        #endif
    }

    /// An evaluation shows its own bar below the last step.
    @Test("a progress bar that moves is a sign of life while the step stays the same", arguments: [nil, "at ([0-9]+)"])
    func bars(pattern: String?) throws {
        var reader = try ProgressReader(pattern: pattern)
        var seen: [(step: Double?, moves: Int)] = []
        for text in ["step 100\nat 100\n", "\rEval:  10%|# | 3/30 [00:01<", "\rEval:  13%|# | 4/30 [00:02<"] {
            reader.read(Array(text.utf8)[...])
            reader.read([])
            seen.append((reader.progress.step, reader.moves))
        }
        #expect(seen.map(\.step) == [100, 100, 100])
        #expect(seen[0].moves < seen[1].moves && seen[1].moves < seen[2].moves)
    }
}
