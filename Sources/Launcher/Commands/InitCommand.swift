import ArgumentParser
internal import Shared

struct InitCommand: LauncherCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a first config for the project in this folder.",
        discussion: """
            Guesses the script, its option to resume and its folder of checkpoints from what the files say. With a key \
            of RunPod the config names GPUs and volumes of the account.
            """)

    @Argument(help: "Path of the new config.", completion: .file(extensions: ["yaml", "yml"])) var config =
        "config.yaml"
    @Option(help: ArgumentHelp("\"local\" or \"runpod\" (default: runpod if there is a key).", valueName: "name"))
    var provider: String?
    @Flag(help: "Print the guess as JSON and write nothing.") var json = false

    func validate() throws {
        if let provider, ProviderName(rawValue: provider) == nil {
            throw ValidationError("--provider is \"local\" or \"runpod\"")
        }
    }

    func run(in world: World) async throws {
        let paths = try Paths(config: config, environment: world.environment)
        let guess = ProjectGuess(folder: paths.folder)
        if json { return world.console.show(try JSON.text(guess, pretty: true) + "\n") }
        if File.status(config) != nil {
            throw Failure(.usage, "\"\(config)\" exists already", hint: "remove it, or name another file")
        }
        let market = try? world.providers.market()
        let kinds = (try? await market?.kinds(count: 1)) ?? []
        let volumes = (try? await market?.volumes()) ?? []
        let named = provider.flatMap(ProviderName.init(rawValue:)) ?? (kinds.isEmpty ? .local : .runpod)
        var draft = ConfigDraft(guess: guess, provider: named)
        if named == .runpod {
            draft.kinds = kinds.filter { $0.stock != "none" }
            draft.volumes = volumes
        }
        try File.replace(config, with: Array(draft.text.utf8))
        report(guess, world.console)
    }

    private func report(_ guess: ProjectGuess, _ console: Console) {
        console.note("launch: wrote \"\(config)\"; check it, and start it with: launch run \(config)")
        if guess.script == nil { console.note("launch: no script was found that trains: set \"command\"") }
        if guess.script != nil, guess.resumeOption == nil {
            console.note("launch: the script has no option to resume, so every attempt begins at step 0")
        }
    }
}
