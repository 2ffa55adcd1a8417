import Glibc
import Shared
import Synchronization
import Testing

/// A temporary folder for one test: a home for `launch` with a volume, and the folder of a project.
///
/// When the scope ends, the site kills every process that is left. The test fails if there was one.
///
/// ```swift
/// try await Site.with { site in
///     try site.config("run: a\ncommand: echo hello\n")
///     try await site.launch("run").check()
/// }
/// ```
final class Site: Sendable {
    let root: String
    /// `LAUNCH_HOME`. The program or test that needs it creates it.
    var home: String { "\(root)/home" }
    var project: String { "\(root)/project" }
    private let mark: String
    private let started = Mutex(0)

    static func with(
        sourceLocation: SourceLocation = #_sourceLocation, _ body: (Site) async throws -> Void
    ) async throws {
        let site = try Site()
        do {
            try await body(site)
        } catch {
            await site.killAll()
            Issue.record("standard error of the programs:\n\(site.errors)", sourceLocation: sourceLocation)
            site.remove()
            throw error
        }
        // A pod ends by itself a moment after the record of its end.
        let start = ContinuousClock.now
        while start.duration(to: .now) < .seconds(3) && !site.processes.isEmpty {
            try await Task.sleep(for: .milliseconds(5))
        }
        let left = await site.killAll()
        site.remove()
        if !left.isEmpty {
            Issue.record("the test left behind:\n\(left.joined(separator: "\n"))", sourceLocation: sourceLocation)
        }
    }

    private init() throws {
        mark = [UInt8].random(count: 6).hexadecimal
        root = (ProcessEnvironment.all["TMPDIR"] ?? "/tmp") + "/launch-test-\(mark)"
        try File.makeFolders("\(root)/project")
    }

    private func remove() {
        // This fails, and removes nothing of it, if a file system of the test is still mounted inside.
        do { try File.removeTree(root) } catch { Issue.record(error) }
    }

    /// The end of what each program wrote to standard error.
    private var errors: String {
        let files = ((try? File.list(root)) ?? []).filter { $0.hasSuffix(".err") }
        return files.map { "\($0): \(((try? File.read("\(root)/\($0)")) ?? []).text.suffix(1000))" }.joined(
            separator: "\n")
    }

    /// Kills all processes that were started here and returns their names. A test that leaves its run running calls it.
    @discardableResult
    func killAll() async -> [String] { await Leftovers.kill(mark) }

    /// All processes that were started here and still run.
    var processes: [ProcessStat] { Leftovers.running(mark) }

    /// The environment of this process, read once, because other tests change it.
    private static let inherited = ProcessEnvironment.all

    /// The environment of this process, without variables that would lead a program to another home or agent.
    var environment: [String: String] {
        var variables = Self.inherited.filter { name, _ in
            !["POD_AGENT", "LAUNCH", "RUNPOD"].contains { name.hasPrefix($0) } && name != "XDG_STATE_HOME"
        }
        variables["LAUNCH_HOME"] = home
        variables["SITE"] = root
        variables[Leftovers.variable] = mark
        return variables.merging(Programs.variables) { $1 }
    }

    /// Starts any program, in the project's folder.
    func start(_ arguments: [String], environment extra: [String: String] = [:]) throws -> Running {
        let number = started.withLock {
            $0 += 1
            return $0
        }
        return try Running(
            arguments, environment: environment.merging(extra) { $1 }, in: project, name: "program-\(number)",
            folder: root)
    }

    func launch(_ arguments: String..., environment: [String: String] = [:]) throws -> Running {
        try start([Programs.launch] + arguments, environment: environment)
    }

    // MARK: Files

    /// `path` is relative to the site.
    func write(_ path: String, _ text: String, executable: Bool = false) throws {
        let path = root.appending(path: path)
        try File.makeFolders(path.parentFolder)
        try File.write(Array(text.utf8), over: path)
        if executable { chmod(path, 0o755) }
    }

    /// The project's `config.yaml`.
    func config(_ text: String) throws { try write("project/config.yaml", text) }

    /// Creates the file `$SITE/name`, for which a program waits.
    func open(_ name: String) throws { try write(name, "") }

    func exists(_ path: String) -> Bool { File.statusOfTarget(root.appending(path: path)) != nil }
}

extension Site {
    /// Copies a program of this machine into the site.
    func copy(_ program: String, to path: String) throws {
        let path = root.appending(path: path)
        try File.makeFolders(path.parentFolder)
        try File.write(try File.read(program), over: path)
        chmod(path, 0o755)
    }
}
