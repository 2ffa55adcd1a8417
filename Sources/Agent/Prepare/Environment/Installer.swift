internal import Glibc
internal import Shared

/// Installs the dependencies into a virtual environment on the volume. TMPDIR and pip's cache are on the volume too,
/// because the pod's own disk may be too small.
struct Installer: Sendable {
    let dependencies: Dependencies
    let volume: Volume
    let run: RunID
    /// The SHA-256 of the packed code, if there is any.
    let code: String?
    /// The work tree. Requirement files are relative to it.
    let folder: String
    let environment: [String: String]
    let jobs: any JobRunner

    /// Returns the environment for these requirements. Reuses an existing one, or installs a new one.
    func install(say: @Sendable (LogLine) -> Void) async throws -> PythonEnvironment {
        let fingerprint = try await fingerprint()
        let link = "\(volume.environments)/\(fingerprint)"
        let ready = try await DedicatedThread.run { [volume] () -> PythonEnvironment? in
            guard let name = try? File.readLink(link) else { return nil }
            let found = PythonEnvironment(path: "\(volume.environments)/\(name)")
            return File.isExecutable(found.python) ? found : nil
        }
        if let ready {
            say(.environment(ready.path, isReused: true))
            return ready
        }
        return try await build(fingerprint: fingerprint, link: link, say: say)
    }

    private func build(
        fingerprint: String, link: String, say: @Sendable (LogLine) -> Void
    ) async throws -> PythonEnvironment {
        let temporary = volume.temporary(for: run)
        let name = "\(fingerprint)-\(run)"
        let new = PythonEnvironment(path: "\(volume.environments)/\(name)")
        // Only this run's agent uses the name. A folder with that name but without the link is not complete.
        try await DedicatedThread.run { [volume] in
            try File.removeTree(new.path)
            try File.removeTree(temporary)
            for folder in [volume.environments, volume.pipCache, temporary] { try File.makeFolders(folder) }
        }
        say(.environment(new.path, isReused: false))
        var variables = environment
        variables["TMPDIR"] = temporary
        variables["PIP_CACHE_DIR"] = volume.pipCache
        variables["PIP_NO_INPUT"] = "1"
        variables["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        // The image's own packages stay visible, so that a framework of 2 GB is not installed a second time.
        try await step([dependencies.python, "-m", "venv", "--system-site-packages", new.path], variables)
        let files = dependencies.requirements.flatMap { ["-r", $0] }
        try await step([new.python, "-m", "pip", "install"] + files, variables)
        try await DedicatedThread.run {
            try FileSystem.syncAll(below: new.path)
            try File.replaceLink(link, to: name)
            try File.syncFolder(of: link)
            try File.removeTree(temporary)
        }
        return new
    }

    private func step(_ arguments: [String], _ variables: [String: String]) async throws {
        let status = try await jobs.run(arguments, environment: variables, folder: folder)
        guard status != .code(0) else { return }
        let command = arguments.map(TrainingCommand.quote).joined(separator: " ")
        throw Problem("\"\(command)\" ended with \(status)", hint: "its output is in the lines above")
    }

    /// Returns a hash of what would be installed: the interpreter, the image's packages, and the text of each
    /// requirement file.
    private func fingerprint() async throws -> String {
        let (status, interpreter) = try await jobs.capture(
            [dependencies.python, "-c", Self.probe], environment: environment, folder: folder)
        guard status == .code(0) else {
            throw Problem("\"\(dependencies.python)\" does not work: \(interpreter.text.trimmed)")
        }
        var hasher = SHA256Hasher()
        hasher.update(interpreter)
        let files = try await DedicatedThread.run { [dependencies, folder] in
            try RequirementFiles.all(dependencies.requirements, in: folder)
        }
        for file in files {
            hasher.update("\n\(file.path)\n".utf8)
            hasher.update(file.content)
        }
        // A package in the work tree belongs to this run alone, and changes with its code.
        if files.contains(where: { RequirementFiles.namesPath($0.content.text) }) {
            hasher.update("\n\(run) \(code ?? "")\n".utf8)
        }
        return String(hasher.finish().description.prefix(32))
    }

    private static let probe = """
        import os, platform, sys, sysconfig
        print(sys.version, platform.machine(), platform.libc_ver(), os.path.realpath(sys.executable))
        for folder in sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")} | set(sys.path[1:])):
            if os.path.isdir(folder):
                print(folder, sorted(n for n in os.listdir(folder) if n.endswith((".dist-info", ".egg-info", ".pth"))))
        """
}

/// The requirement files of pip, and the files that they include.
enum RequirementFiles {
    struct Content: Sendable, Equatable {
        /// The file's path relative to the work tree, as the config or another file names it.
        var path: String
        var content: [UInt8]
    }

    /// Returns the files and those that they include with `-r` and `-c`, each one once. Throws if a file does not
    /// exist.
    static func all(_ paths: [String], in folder: String) throws(Problem) -> [Content] {
        var found: [Content] = []
        var seen: Set<String> = []
        var pending = Array(paths.reversed())
        while let path = pending.popLast() {
            let full = folder.appending(path: path)
            // The real path identifies a file. In a cycle through `..` the named paths would become longer and longer.
            guard let real = realpath(full, nil) else {
                throw Problem(
                    "there is no requirement file \"\(path)\"", hint: "paths are relative to the top of the code")
            }
            defer { free(real) }
            guard seen.insert(String(cString: real)).inserted else { continue }
            let content = try File.read(full)
            found.append(Content(path: path, content: content))
            pending += included(in: content.text).reversed().map { inner in
                path.contains("/") ? path.parentFolder.appending(path: inner) : inner
            }
        }
        return found
    }

    /// Whether a line names a package by its path. The text alone then does not identify its content.
    static func namesPath(_ text: String) -> Bool {
        text.split(whereSeparator: \.isNewline).map(\.trimmed).contains { line in
            ["-e", "--editable", ".", "/"].contains { line.hasPrefix($0) } || line.contains("file:")
        }
    }

    /// Returns the files that a requirement file includes, as in pip's "Requirements File Format".
    static func included(in text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(whereSeparator: { $0.isWhitespace || $0 == "=" }).map(String.init)
            guard let option = words.first else { return nil }
            if ["-r", "-c", "--requirement", "--constraint"].contains(option), words.count > 1 { return words[1] }
            if option.hasPrefix("-r") || option.hasPrefix("-c"), option.count > 2, !option.hasPrefix("--") {
                return String(option.dropFirst(2))
            }
            return nil
        }
    }
}
