internal import Shared

/// Gives a run its Python environment: finds one on the volume that holds what the run asks for, or installs it.
struct Installer: Sendable {
    let dependencies: Dependencies
    let volume: Volume
    let run: RunID
    /// All variables of the run's commands before the training.
    let variables: [String: String]
    /// The config's `env`, which is among the variables.
    let config: [String: String]
    /// The names of the variables whose values are secret.
    let secrets: [String]
    let jobs: any JobRunner
    /// Waits before another try.
    var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    private var store: EnvironmentStore { EnvironmentStore(volume: volume, run: run) }
    private var work: String { volume.run(run).work }

    /// Returns the environment for these requirements. Reuses an existing one, or installs a new one.
    func install(say: @escaping @Sendable (LogLine) -> Void) async throws -> PythonEnvironment {
        let image = try await ImagePython.probe(
            dependencies.python, environment: variables, folder: work, jobs: jobs)
        let (previous, wanted, search) = try await DedicatedThread.run {
            let previous = store.usedFolder
            let inputs = EnvironmentInputs(
                dependencies: dependencies, place: volume.environments, run: volume.run(run), variables: variables,
                config: config, secrets: secrets)
            let (key, editables) = try inputs.key(for: image)
            let wanted = Wanted(key: key, image: image, editables: editables)
            return (previous, wanted, try store.find(key, for: image, editables: editables, previous: previous))
        }
        let manifest: EnvironmentManifest
        switch search {
        case .found(let found):
            manifest = found
            say(.environment(store.path(found.folder), isReused: true))
        case .absent(let reason):
            manifest = try await build(wanted, reason: reason, say: say)
        }
        let python = try await DedicatedThread.run {
            if previous != manifest.folder { try? store.collect(previous: previous, replacedBy: wanted.key) }
            let shared = VirtualEnvironment(path: store.path(manifest.folder), image: image)
            return try EnvironmentLayer(path: volume.layer(for: run), environment: shared).make()
        }
        try await checkImports(python, manifest, of: wanted.key, say: say)
        return python
    }

    /// Imports the modules that the config names, unless the environment was seen to import them before.
    private func checkImports(
        _ python: PythonEnvironment, _ manifest: EnvironmentManifest, of key: EnvironmentKey,
        say: @Sendable (LogLine) -> Void
    ) async throws {
        let modules = dependencies.checkImports.filter { !manifest.checked.contains($0) }
        if modules.isEmpty { return }
        let (status, output) = try await jobs.capture(
            [python.python, "-c", Self.importScript] + modules,
            environment: variables.merging(python.variables(over: variables)) { $1 }, folder: work)
        guard status == .code(0) else {
            let lines = output.text.split(whereSeparator: \.isNewline).map(String.init)
            for line in lines { say(.captured(line)) }
            // A library may end the process without an exception.
            let reason = lines.last.flatMap {
                $0.hasPrefix(Self.importMark) ? $0.dropFirst(Self.importMark.count) : nil
            }
            throw Problem(
                reason.map(String.init) ?? "a module of \"check_imports\" does not import: Python ended with \(status)",
                hint: "its output is in the lines above")
        }
        var manifest = manifest
        manifest.checked += modules
        try await DedicatedThread.run { [manifest] in try store.update(manifest, of: key) }
    }

    /// The start of the line with the reason.
    private static let importMark = "check_imports: "

    private static let importScript = """
        import importlib, sys, traceback
        for name in sys.argv[1:]:
            try: importlib.import_module(name)
            except BaseException as error:
                traceback.print_exc()
                reason = (str(error).splitlines() or [""])[0]
                sys.exit('\(importMark)"%s" does not import: %s: %s' % (name, type(error).__name__, reason))
        """

    private struct Wanted: Sendable {
        let key: EnvironmentKey
        let image: ImagePython
        /// The editable packages, each with the digest of its content.
        let editables: [String: String]
    }

    private func build(
        _ wanted: Wanted, reason: String?, say: @escaping @Sendable (LogLine) -> Void
    ) async throws -> EnvironmentManifest {
        let folder = "\(wanted.key.name)-\([UInt8].random(count: 4).hexadecimal)"
        let new = VirtualEnvironment(path: store.path(folder), image: wanted.image)
        try await DedicatedThread.run { try store.use(folder) }
        say(.environment(new.path, isReused: false, reason: reason))
        try await EnvironmentBuild(
            environment: new, dependencies: dependencies, volume: volume, run: run, variables: variables, jobs: jobs,
            say: say, pause: pause
        ).perform()
        return try await DedicatedThread.run {
            let manifest = EnvironmentManifest(
                folder: folder, parts: wanted.key.parts, entries: try EnvironmentManifest.entries(of: new.packages),
                copied: try EditableCopies(packages: new.packages, work: work).among(wanted.editables), checked: [])
            let published = try store.publish(manifest, as: wanted.key)
            if published.folder != folder { try File.removeTree(new.path) }
            return published
        }
    }
}
