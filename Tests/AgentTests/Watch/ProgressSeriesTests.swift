import Shared
import TestSupport
import Testing

@testable import Agent

/// Steps that are followed over time, among bars and numbers that come and go beside them.
@Suite struct ProgressSeriesTests {
    private static func bar(_ value: Int, _ total: Int, _ label: String = "") -> String {
        "\r\(label)\(100 * value / total)%|██        | \(value)/\(total) [00:10<01:30,  9.9it/s]"
    }

    /// The step after each of `texts`, each of them followed by a moment of silence.
    private static func steps(_ texts: [String], pattern: String? = nil) throws -> [Double?] {
        var reader = try ProgressReader(pattern: pattern)
        return texts.map { text in
            reader.read(Array(text.utf8)[...])
            reader.read([])
            return reader.progress.step
        }
    }

    @Test("an evaluation's bar without a name does not become the step while the training's bar is not complete")
    func evaluation() throws {
        let steps = try Self.steps(
            (1...50).map { Self.bar($0, 100) } + (0...14).map { Self.bar($0, 14) } + [Self.bar(51, 100)])
        #expect(steps.suffix(16) == Array(repeating: 50, count: 15) + [51])
    }

    @Test("a validation between epochs whose bars have no names is never the step")
    func validation() throws {
        let epoch = (0...30).map { Self.bar($0, 30) }
        let validation = (0...20).map { Self.bar($0, 20) }
        let steps = try Self.steps(epoch + validation + epoch + validation + [Self.bar(1, 30)])
        let during = steps[31..<52] + steps[83..<104]
        #expect(during.allSatisfy { $0 == 30 })
        #expect(steps.last == 1)
    }

    @Test("a bar that goes on for longer than a complete one before it becomes the step")
    func preparation() throws {
        let steps = try Self.steps((0...20).map { Self.bar($0, 20) } + (0...60).map { Self.bar($0, 1000) })
        #expect(steps.last == 60)
    }

    @Test("a bar with a name replaces one without")
    func named() throws {
        #expect(try Self.steps([Self.bar(3, 20), Self.bar(1, 100, "train: ")]) == [3, 1])
    }

    @Test("a step that was printed once gives way to a bar that moves, and comes back once it moves")
    func onceOnly() throws {
        let steps = try Self.steps(
            ["step 0\n"] + (1...3).map { Self.bar($0, 100) } + ["\nstep 50\n", Self.bar(51, 100)])
        #expect(steps == [0, 0, 2, 3, 50, 50])
    }

    @Test("a series that stands still for long gives way to one that moves")
    func stale() throws {
        let steps = try Self.steps(["step 1\n", "step 2\n"] + (1...1100).map { Self.bar($0, 5000) })
        #expect(steps[1] == 2 && steps[500] == 2 && steps.last == 1100)
    }

    @Test("a total that is announced is the step's total")
    func announced() throws {
        var reader = try ProgressReader(pattern: nil)
        reader.read(Array("  Total optimization steps = 1,000\niter 5: loss 2.5\n".utf8)[...])
        #expect(reader.progress == Progress(step: 5, total: 1000, loss: 2.5))
    }

    @Test("any bar that moves is a sign of life")
    func life() throws {
        var reader = try ProgressReader(pattern: "at ([0-9]+)")
        var seen: [Int] = []
        for text in [
            "at 100\n", Self.bar(3, 30, "Eval: "), Self.bar(4, 30, "Eval: "), Self.bar(4, 30, "Eval: "), "x\n",
        ] {
            reader.read(Array(text.utf8)[...])
            reader.read([])
            seen.append(reader.moves)
        }
        #expect(seen == [1, 2, 3, 3, 3])
        #expect(reader.progress.step == 100)
    }

    @Test("output that comes in pieces of any size gives the same progress", arguments: 0..<20)
    func pieces(seed: Int) throws {
        let text = ProgressFormsTests.forms.map(\.text).joined(separator: "\n")
        var whole = try ProgressReader(pattern: nil)
        whole.read(Array(text.utf8)[...])
        var cut = try ProgressReader(pattern: nil)
        var rest = Array(text.utf8)[...]
        var generator = SeededGenerator(seed: seed)
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...40, using: &generator))
            cut.read(piece)
            rest = rest.dropFirst(piece.count)
        }
        #expect(cut.progress == whole.progress && cut.moves == whole.moves)
    }

    @Test("random bytes and numbers of any size do no harm", arguments: 0..<20)
    func anything(seed: Int) throws {
        var generator = SeededGenerator(seed: seed)
        var reader = try ProgressReader(pattern: nil)
        let signs = Array("step:= 0123456789/[]|%.,eE+-\r\n\u{1b}[]m━".utf8)
        for _ in 0..<200 {
            let piece = (0..<100).map { _ in
                Bool.random(using: &generator) ? signs.randomElement(using: &generator) ?? 0 : .random(in: 0...255)
            }
            reader.read(piece[...])
            reader.read([])
        }
        reader.read(Array("step \(String(repeating: "9", count: 400))\n".utf8)[...])
        #expect(reader.progress.step?.isFinite ?? true)
    }
}
