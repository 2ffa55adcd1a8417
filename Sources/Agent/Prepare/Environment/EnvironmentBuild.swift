internal import Glibc
internal import Shared

/// The installation of requirements into a new environment. TMPDIR and pip's cache are on the volume too, because the
/// pod's own disk may be too small.
struct EnvironmentBuild: Sendable {
    let environment: VirtualEnvironment
    let dependencies: Dependencies
    let volume: Volume
    let run: RunID
    /// The whole environment of the installer's process.
    let variables: [String: String]
    let jobs: any JobRunner

    private var folder: String { volume.run(run).work }
    private var temporary: String { volume.temporary(for: run) }

    /// Installs. The environment is on stable storage then. On an error its folder is removed.
    func perform() async throws {
        let scratch = try await DedicatedThread.run { try makeFolders() }
        do {
            try await install(scratch: scratch)
            try await DedicatedThread.run {
                try ImageScripts(image: environment.image).copy(
                    to: "\(environment.path)/bin", runningUnder: environment.python)
                try removeTemporary(scratch)
                try FileSystem.syncAll(below: environment.path)
            }
        } catch {
            try? await DedicatedThread.run {
                try? removeTemporary(scratch)
                try File.removeTree(environment.path)
            }
            throw error
        }
    }

    /// Returns the folder on the pod's own disk; nil if there is none.
    private func makeFolders() throws -> String? {
        try File.removeTree(environment.path)
        try File.removeTree(temporary)
        for folder in [volume.environments, volume.pipCache, temporary] { try File.makeFolders(folder) }
        try environment.make(seeing: environment.image.own)
        return Scratch.make(for: run, variables: variables)
    }

    private func removeTemporary(_ scratch: String?) throws {
        try File.removeTree(temporary)
        if let scratch { try File.removeTree(scratch) }
    }

    private func install(scratch: String?) async throws {
        let variables = try await installerVariables(scratch: scratch)
        let settings = try await settings(variables)
        var installing = variables
        let hasCredentials = try await hasCredentials
        if let scratch, hasCredentials || settings.haveCredentials {
            // pip's cache keeps the headers of requests.
            installing["PIP_CACHE_DIR"] = "\(scratch)/pip"
        }
        let files = dependencies.requirements.flatMap { ["-r", $0] }
        try await step(
            [environment.python, "-m", "pip", "install"] + settings.options(for: environment) + files, installing)
    }

    private func installerVariables(scratch: String?) async throws -> [String: String] {
        var variables = variables.filter { !PipSettings.moving.contains($0.key) }
        let path = variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let git = try await DedicatedThread.run {
            try scratch.flatMap { try GitWithoutPasswords(folder: $0).make(path: path) ? [$0] : nil } ?? []
        }
        variables["PATH"] = (git + ["\(environment.path)/bin", path]).joined(separator: ":")
        variables["VIRTUAL_ENV"] = environment.path
        variables["TMPDIR"] = temporary
        variables["PIP_CACHE_DIR"] = volume.pipCache
        variables["PIP_NO_INPUT"] = "1"
        variables["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        variables["GIT_TERMINAL_PROMPT"] = variables["GIT_TERMINAL_PROMPT"] ?? "0"
        return variables
    }

    /// Asks pip for its settings. Installs pip first if the image has none.
    private func settings(_ variables: [String: String]) async throws -> PipSettings {
        let list = [environment.python, "-m", "pip", "config", "list"]
        var (status, output) = try await jobs.capture(list, environment: variables, folder: folder)
        if status != .code(0) {
            try await step([environment.python, "-m", "ensurepip", "--default-pip"], variables)
            (status, output) = try await jobs.capture(list, environment: variables, folder: folder)
        }
        return PipSettings(list: status == .code(0) ? output.text : "")
    }

    /// Whether requirements, a variable of pip or a netrc file hold a password.
    private var hasCredentials: Bool {
        get async throws {
            try await DedicatedThread.run {
                let requirements = try RequirementTree(dependencies.requirements, in: folder, variables: variables)
                let netrc = variables["NETRC"] ?? (variables["HOME"] ?? "/root") + "/.netrc"
                return requirements.nodes.flatMap(\.file.lines).contains { Credentials.areIn($0.text) }
                    || variables.contains { $0.key.hasPrefix("PIP_") && Credentials.areIn($0.value) }
                    || File.status(netrc) != nil
            }
        }
    }

    private func step(_ arguments: [String], _ variables: [String: String]) async throws {
        let status = try await jobs.run(arguments, environment: variables, folder: folder)
        guard status != .code(0) else { return }
        let command = arguments.map(TrainingCommand.quote).joined(separator: " ")
        throw Problem("\"\(command)\" ended with \(status)", hint: "its output is in the lines above")
    }
}
