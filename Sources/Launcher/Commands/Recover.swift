import ArgumentParser
internal import Shared

struct Recover: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start every run again whose pod was taken away.",
        discussion: """
            A run is started again only if the provider shows that its spot pod has ended. A run that its user stopped \
            stays stopped. The command may be repeated at any time, on any machine with the key.
            """)

    @Flag(help: "Repeat every minute.") var watch = false

    func run(in world: World) async throws {
        while true {
            let isComplete = await pass(in: world)
            if !watch { throw ExitCode(isComplete ? 0 : Exit.unavailable.rawValue) }
            try await Task.sleep(for: .seconds(60))
        }
    }

    /// Returns whether nothing is left to be done.
    private func pass(in world: World) async -> Bool {
        let (runs, problems) = await Runs(world: world).known()
        for problem in problems { world.console.complain(problem) }
        var isComplete = problems.isEmpty
        for run in runs {
            do {
                try await Recovery(world: world).pass(over: run)
            } catch {
                isComplete = false
                let failure = Failure(wrapping: error)
                let sentence = "\"\(run.id)\" could not be started again: \(failure.problem.sentence)"
                world.console.complain(Problem(sentence, hint: failure.problem.hint))
            }
        }
        return isComplete
    }
}
