import Shared
import TestSupport
import Testing

@testable import Agent

/// The installation of dependencies, with a shell script in the place of Python and pip.
@Suite struct InstallerTests {
    /// Answers the probe, makes an "environment" that is a copy of itself, and notes what pip is asked for.
    private static let python = #"""
        #!/bin/sh
        if [ "$1" = -c ]; then cat "$STUB/version"; exit; fi
        if [ "$2" = venv ]; then mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; exit; fi
        touch "$TMPDIR/left"
        echo "$* TMPDIR=$TMPDIR CACHE=$PIP_CACHE_DIR" >> "$STUB/pip"
        exit "$(cat "$STUB/code")"
        """#

    private let run: TestRun
    private let stub: TemporaryFolder
    private let said = Monitor<[LogLine]>([])

    init() throws {
        run = try TestRun()
        stub = try TemporaryFolder("python")
        try File.replace(stub.path + "/python", with: Array(Self.python.utf8), mode: 0o755)
        for (name, text) in ["version": "3.12", "code": "0", "pip": ""] { try write(name, text) }
        try requirements("torch\n")
    }

    private func write(_ name: String, _ text: String) throws {
        try File.replace("\(stub.path)/\(name)", with: Array(text.utf8))
    }

    private func requirements(_ text: String) throws {
        try File.replace("\(run.folders.work)/requirements.txt", with: Array(text.utf8))
    }

    private func install() async throws -> PythonEnvironment {
        let installer = Installer(
            dependencies: Dependencies(requirements: ["requirements.txt"], python: "\(stub.path)/python"),
            volume: run.volume, run: run.id, code: nil, folder: run.folders.work,
            environment: ["PATH": "/usr/bin:/bin", "STUB": stub.path],
            jobs: SpawningRunner(output: "\(stub.path)/output"))
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
        #expect(first == second || File.isExecutable(second.python))
        #expect(try pip().count == 1)
        #expect(said.read { $0 }.map(\.text).map { $0.hasSuffix("(installing)") } == [true, false])
    }

    @Test("pip gets the requirement files, and its cache and temporary files are on the volume")
    func foldersOfPip() async throws {
        _ = try await install()
        let temporary = run.volume.temporary(for: run.id)
        #expect(
            try pip() == [
                "-m pip install -r requirements.txt TMPDIR=\(temporary) CACHE=\(run.volume.pipCache)"
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
        #expect(Set([first.path, second.path, third.path]).count == 3)
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
}
