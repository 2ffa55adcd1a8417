import Shared
import TestSupport
import Testing

@testable import Agent

/// The installation of dependencies, with a shell script in the place of Python and pip.
@Suite struct InstallerTests {
    /// Answers the probe, makes an "environment" that is a copy of itself, and notes what pip is asked for.
    private static let python = #"""
        #!/bin/sh
        if [ "$1" = -c ] && [ -n "$3" ]; then
            shift 2
            echo "import $*" >> "$STUB/pip"
            cat "$STUB/import-error"
            exit "$(cat "$STUB/imports")"
        fi
        if [ "$1" = -c ]; then
            version=$(cat "$STUB/version") || exit 1
            printf '{"executable":"%s","base":"%s","prefix":"/stub","tag":"stub","own":[],' "$0" "$0"
            printf '"sitePackages":"lib/python3/site-packages","seesBase":true,"packages":{},"version":"%s"}' "$version"
            exit
        fi
        if [ "$3" = config ]; then cat "$STUB/settings"; exit; fi
        touch "$TMPDIR/left"
        echo "$* TMPDIR=$TMPDIR CACHE=$PIP_CACHE_DIR TARGET=$PIP_TARGET" >> "$STUB/pip"
        if [ -s "$STUB/log" ]; then cp "$STUB/log" "$PIP_LOG"; fi
        for file do case $file in *overrides.txt) echo LINES $(cat "$file") >> "$STUB/pip" ;; esac; done
        if [ -s "$STUB/faults" ]; then sed -i 1d "$STUB/faults"; exit 1; fi
        exit "$(cat "$STUB/code")"
        """#

    private let run: TestRun
    private let stub: TemporaryFolder
    private let said = Monitor<[LogLine]>([])
    private let pauses = Monitor<[Duration]>([])

    init() throws {
        run = try TestRun()
        stub = try TemporaryFolder("python")
        try File.replace(stub.path + "/python", with: Array(Self.python.utf8), mode: 0o755)
        for (name, text) in [
            "version": "3.12", "code": "0", "pip": "", "settings": "", "imports": "0", "import-error": "", "log": "",
            "faults": "",
        ] {
            try write(name, text)
        }
        try requirements("torch\n")
    }

    private func write(_ name: String, _ text: String) throws {
        try File.replace("\(stub.path)/\(name)", with: Array(text.utf8))
    }

    private func requirements(_ text: String) throws {
        try File.replace("\(run.folders.work)/requirements.txt", with: Array(text.utf8))
    }

    private func install(
        _ env: [String: String] = [:], checkImports: [String] = [], overrides: [String] = []
    ) async throws -> PythonEnvironment {
        var dependencies = Dependencies(requirements: ["requirements.txt"], python: "\(stub.path)/python")
        dependencies.checkImports = checkImports
        dependencies.overrides = overrides
        let installer = Installer(
            dependencies: dependencies,
            volume: run.volume, run: run.id,
            variables: ["PATH": "/usr/bin:/bin", "STUB": stub.path].merging(env) { $1 },
            config: env, secrets: ["TOKEN"],
            jobs: SpawningRunner(output: "\(stub.path)/output"),
            pause: { [pauses] pause in pauses.update { $0.append(pause) } })
        return try await installer.install { [said] line in said.update { $0.append(line) } }
    }

    /// The lines that pip was called with.
    private func pip() throws -> [String] {
        try File.read("\(stub.path)/pip").text.split(separator: "\n").map(String.init)
    }

    @Test("a second start finds the environment without running pip")
    func reuses() async throws {
        let first = try await install()
        #expect(try pip().count == 1)
        let second = try await install()
        #expect(first == second && File.isExecutable(second.python))
        #expect(try pip().count == 1)
        #expect(said.read { $0 }.map(\.text).map { $0.hasSuffix("(installing)") } == [true, false])
    }

    @Test("pip gets the requirement files, and its cache and temporary files are on the volume")
    func foldersOfPip() async throws {
        _ = try await install()
        let temporary = run.volume.temporary(for: run.id)
        #expect(
            try pip() == [
                "-m pip install -r requirements.txt TMPDIR=\(temporary) CACHE=\(run.volume.pipCache) TARGET="
            ])
        #expect(try !File.exists(temporary))
    }

    @Test("other requirements, or another interpreter, get another environment")
    func fingerprint() async throws {
        let first = try await install()
        try requirements("torch==2\n")
        let second = try await install()
        try write("version", "3.13")
        let third = try await install()
        #expect(Set([first.shared, second.shared, third.shared]).count == 3)
        #expect(try pip().count == 3)
    }

    @Test("an environment that pip failed to fill is not used")
    func failedPip() async throws {
        try write("code", "1")
        let problem = await #expect(throws: Problem.self) { try await install() }
        #expect(problem?.sentence.hasSuffix("pip install -r requirements.txt\" ended with code(1)") == true)
        try write("code", "0")
        #expect(File.isExecutable(try await install().python))
        #expect(try pip().count == 2)
    }

    @Test("an interpreter that fails is a problem that names it")
    func brokenPython() async throws {
        try File.removeTree("\(stub.path)/version")
        let problem = await #expect(throws: Problem.self) { try await install() }
        #expect(problem?.sentence.hasPrefix("\"\(stub.path)/python\" does not work: ") == true)
    }

    @Test("a missing requirement file is a problem that names it")
    func missingFile() async throws {
        try File.remove("\(run.folders.work)/requirements.txt")
        let problem = await #expect(throws: Problem.self) { try await install() }
        #expect(problem?.sentence == "there is no requirement file \"requirements.txt\"")
    }

    /// The environments on the volume.
    private var environments: [String] {
        get throws { try File.list(run.volume.environments).filter { !$0.hasSuffix(".json") } }
    }

    @Test("a failed installation leaves no folder behind")
    func failedIsRemoved() async throws {
        try write("code", "1")
        await #expect(throws: Problem.self) { try await install() }
        #expect(try environments == [])
        #expect(try !File.exists(run.volume.temporary(for: run.id)))
    }

    @Test("the log says which part of the key changed")
    func reason() async throws {
        _ = try await install()
        try requirements("torch==2\n")
        _ = try await install()
        #expect(said.read { $0 }.last?.text.hasSuffix("(installing: requirements.txt changed)") == true)
    }

    @Test("a comment and a variable that no build reads do not change the environment, others do")
    func keyParts() async throws {
        let first = try await install(["WANDB_MODE": "offline"])
        try requirements("# why\ntorch  # because\n")
        #expect(try await install(["WANDB_MODE": "online"]).shared == first.shared)
        #expect(try await install(["MAX_JOBS": "2"]).shared != first.shared)
    }

    @Test("a package that changed in the environment makes it another one")
    func changedPackage() async throws {
        let first = try await install()
        try File.makeFolders("\(first.shared)/lib/python3/site-packages/new-1.0.dist-info")
        let second = try await install()
        #expect(second.shared != first.shared)
        #expect(said.read { $0 }.last?.text.hasSuffix("(installing: new-1.0.dist-info was changed in it)") == true)
        #expect(try environments.count == 1)
    }

    @Test("the content of a folder of wheels counts, and the environment of the former content is removed")
    func findLinks() async throws {
        try requirements("--find-links wheels\nx\n")
        try File.makeFolders("\(run.folders.work)/wheels")
        try File.write([1], over: "\(run.folders.work)/wheels/x.whl")
        let first = try await install()
        try File.write([2], over: "\(run.folders.work)/wheels/x.whl")
        let second = try await install()
        #expect(first.shared != second.shared)
        #expect(try environments == [second.shared.lastComponent])
    }

    @Test("at most five environments stay that no live run uses")
    func collection() async throws {
        for version in 1...8 {
            try requirements("x==\(version)\n")
            _ = try await install()
        }
        #expect(try environments.count == 6)
        #expect(try File.list(run.volume.environments).count == 12)
    }

    @Test("settings of the user cannot move what pip installs")
    func movedTarget() async throws {
        try write("settings", "install.target='/elsewhere'\nglobal.user='true'\n:env:.quiet='1'\n")
        _ = try await install(["PIP_TARGET": "/elsewhere"])
        #expect(try pip().first?.contains("pip install --target= --no-user -r requirements.txt TMPDIR=") == true)
        #expect(try pip().first?.hasSuffix(" TARGET=") == true)
    }

    private static let fault = "  File x\nReadTimeoutError: HTTPSConnectionPool(host='h', port=443): Read timed out.\n"

    @Test("an installation is tried again three times at most if the network failed")
    func retries() async throws {
        try write("log", Self.fault)
        try write("faults", "1\n2\n3\n")
        #expect(File.isExecutable(try await install().python))
        #expect(try pip().count == 4)
        let first = pauses.read { $0 }
        let allowed = [1, 2, 4].map { Duration.seconds($0)...Duration.seconds($0) * 1.25 }
        #expect(first.count == 3 && zip(allowed, first).allSatisfy { $0.contains($1) })
        #expect(said.read { $0 }.contains(.installationRetried(after: .seconds(4))))
        try write("faults", "1\n2\n3\n4\n")
        try requirements("torch==2\n")
        await #expect(throws: Problem.self) { try await install() }
        #expect(pauses.read { $0 }.count == 6)
    }

    @Test("an installation that failed for another reason is not tried again")
    func noRetry() async throws {
        try write("log", "ERROR: No matching distribution found for torhc\n")
        try write("code", "1")
        await #expect(throws: Problem.self) { try await install() }
        #expect(try pip().count == 1 && pauses.read { $0 }.isEmpty)
    }

    @Test("overrides are installed last, without their dependencies, and their content counts")
    func overrides() async throws {
        let overrides = ["flash-attn==2", "./w/x-1-py3-none-any.whl"]
        try File.makeFolders("\(run.folders.work)/w")
        try File.write([1], over: "\(run.folders.work)/w/x-1-py3-none-any.whl")
        let first = try await install(overrides: overrides)
        let file = "\(run.volume.temporary(for: run.id))/overrides.txt"
        let calls = try pip().filter { !$0.hasPrefix("LINES") }.map { String($0.prefix { $0 != "=" }) }
        let expected = ["-m pip install -r requirements.txt", "-m pip install --no-deps --force-reinstall -r \(file)"]
        #expect(calls == expected.map { "\($0) TMPDIR" })
        #expect(try pip().last == "LINES flash-attn==2 ./w/x-1-py3-none-any.whl")
        #expect(try await install(overrides: overrides).shared == first.shared)
        #expect(try await install(overrides: ["flash-attn==3"]).shared != first.shared)
        try File.write([2], over: "\(run.folders.work)/w/x-1-py3-none-any.whl")
        #expect(try await install(overrides: overrides).shared != first.shared)
    }

    @Test("pip's cache is not on the volume if a URL holds a password")
    func cacheWithPassword() async throws {
        try requirements("--index-url https://me:${TOKEN}@example.com/\nx\n")
        _ = try await install(["TOKEN": "abcdefgh"])
        #expect(try pip().first?.contains("CACHE=\(run.volume.root)") == false)
        let manifests = try File.list(run.volume.environments).filter { $0.hasSuffix(".json") }
        #expect(manifests.count == 1)
    }

    @Test("what the training installs by itself is gone at the next start")
    func layer() async throws {
        let first = try await install()
        let packages = "\(first.path)/lib/python3/site-packages"
        try File.makeFolders("\(packages)/mine")
        let second = try await install()
        #expect(try second == first && !File.exists("\(packages)/mine"))
        #expect(try pip().count == 1)
    }

    @Test("modules of check_imports are imported once for each environment, and until they do import")
    func checkImports() async throws {
        try write("imports", "1")
        let problem = await #expect(throws: Problem.self) { try await install(checkImports: ["torch", "flash_attn"]) }
        #expect(
            problem?.sentence == "a module of \"check_imports\" does not import: Python ended with code(1)")
        try write(
            "import-error", "a warning\ncheck_imports: \"flash_attn\" does not import: ImportError: no libcudart\n")
        let named = await #expect(throws: Problem.self) { try await install(checkImports: ["torch", "flash_attn"]) }
        #expect(named?.sentence == "\"flash_attn\" does not import: ImportError: no libcudart")
        #expect(said.read { $0 }.contains(.captured("a warning")))
        try write("imports", "0")
        for modules in [["torch", "flash_attn"], ["torch", "flash_attn"], ["torch", "numpy"]] {
            _ = try await install(checkImports: modules)
        }
        #expect(
            try pip().dropFirst()
                == ["import torch flash_attn", "import torch flash_attn", "import torch flash_attn", "import numpy"])
    }
}
