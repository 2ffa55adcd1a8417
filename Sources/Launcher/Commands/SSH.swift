import ArgumentParser
internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

struct SSH: LauncherCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh", abstract: "Open a shell in a run's rented pod.",
        discussion: """
            Without an SSH server in the image the shell comes through RunPod's relay. The account needs your public \
            key before the pod starts.
            """)

    @Argument(help: "Name of the run. May be left out if there is only one.") var run: String?
    @Flag(help: "Print the command as a JSON list instead of running it.") var json = false

    func run(in world: World) async throws {
        let view = try await Runs(world: world).find(run)
        guard let pod = view.pod, pod.isRunning else {
            throw Failure(.unavailable, "\"\(view.id)\" has no pod that runs")
        }
        guard let market = view.run.provider.market else {
            throw Failure(
                .usage, "the pod of \"\(view.id)\" is on this machine", hint: "its files are in \(view.original.work)")
        }
        guard let words = try await market.shell(into: pod) else {
            throw Failure(.unavailable, "pod \"\(pod.id)\" has no address for ssh yet", hint: "try again in a minute")
        }
        if json { return world.console.show(try JSON.text(words) + "\n") }
        var arguments = words.map { strdup($0) } + [nil]
        execvp(words[0], &arguments)
        throw Failure(.unavailable, Problem("start \"\(words[0])\"", errno: errno))
    }
}
