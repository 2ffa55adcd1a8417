import Shared
import TestSupport
import Testing

/// Random troubles, drawn from a seed: the run finishes once, no pod is billed in the end, and never are there two
/// trainers.
///
/// `SCHEDULE_SEEDS=7,8` runs these seeds alone, `SCHEDULES=1000` the first thousand.
@Suite(.serialized, .enabled(if: Emulator.isAvailable, Emulator.reason))
struct ScheduleTests {
    static let seeds: [Int] = {
        let all = ProcessEnvironment.all
        if let list = all["SCHEDULE_SEEDS"] { return list.split(separator: ",").compactMap { Int($0) } }
        return Array(1...(all["SCHEDULES"].flatMap { Int($0) } ?? 4))
    }()

    @Test("a rented run under random trouble finishes once, and its bill ends", arguments: seeds)
    func schedule(_ seed: Int) async throws {
        var random = SeededGenerator(seed: seed)
        let schedule = Schedule(&random)
        try await Emulator.with(schedule.switches) { emulator in
            let problems = try await schedule.perform(in: emulator)
            #expect(problems == [], "seed \(seed): \(schedule)")
        }
    }
}
