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
                let view = try await Runs(world: world).view(run)
                guard Relaunch.isDue(view), let pod = view.pod else { continue }
                _ = try await Relaunch(world: world).once(view, pod)
            } catch {
                isComplete = false
                let reason = Failure(wrapping: error).problem.sentence
                world.console.complain(Problem("\"\(run.id)\" could not be started again: \(reason)"))
            }
        }
        return isComplete
    }
}
