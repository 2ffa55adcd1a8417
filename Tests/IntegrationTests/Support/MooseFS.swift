import Glibc
import Shared
import TestSupport
import Testing

/// A real network volume: MooseFS with one master and one chunkserver, for the suite that has the trait `.mooseFS`.
struct MooseFS: Sendable {
    /// The volume of the suite that runs.
    @TaskLocal static var current: MooseFS?

    private let folder: String
    /// The pid of the first process in the file system's namespaces.
    private let first: Int32

    static let isAvailable =
        geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0 && Namespaces.works(enterNew + ["true"])
    static let reason: Comment = "MooseFS needs root, /dev/fuse and a network namespace of its own"
    private static let enterNew = ["unshare", "--net", "--pid", "--fork", "--kill-child"]

    /// The same volume as two hosts see it, each with its own caches.
    var mounts: [String] { ["\(folder)/one", "\(folder)/two"] }

    /// A new folder of the volume for one test, as its paths on the two hosts.
    func part() throws -> [String] {
        let name = [UInt8].random(count: 6).hexadecimal
        try File.makeFolders("\(mounts[0])/\(name)")
        return mounts.map { "\($0)/\(name)" }
    }

    /// Sets the quota of a folder. `bytes` of nil lifts it.
    func setQuota(_ bytes: Int?, of folder: String) throws {
        try inside(bytes.map { ["mfssetquota", "-L", "\($0)", folder] } ?? ["mfsdelquota", "-A", folder])
    }

    /// Stops, kills or resumes the chunkserver. SIGCONT starts it if it does not run.
    func signalChunkserver(_ signal: Int32) throws {
        // The file has the pid inside the namespace.
        let pid = try File.read("\(folder)/chunkserver/.mfschunkserver.lock").text.trimmed
        if (try? inside(["kill", "-\(signal)", pid])) == nil && signal == SIGCONT {
            try inside(["mfschunkserver", "-c", "\(folder)/chunkserver.cfg", "start"])
        }
    }

    private func inside(_ command: [String]) throws {
        let (code, output) = try Command.run(["nsenter", "--net", "--pid", "--target", "\(first)"] + command)
        if code != 0 { throw Problem("\(command.joined(separator: " ")): \(code), \(output.text)") }
    }

    /// Runs `body` with a new MooseFS and takes it down afterwards, also if `body` throws.
    static func with(_ body: (MooseFS) async throws -> Void) async throws {
        let name = "launch-bed-\([UInt8].random(count: 6).hexadecimal)"
        let folder = (ProcessEnvironment.all["TMPDIR"] ?? "/tmp") + "/\(name)"
        try File.makeFolders(folder)
        let holder = try Running(
            enterNew + [Programs.bed("moosefs.sh"), folder, "\(getpid())"], environment: ProcessEnvironment.all,
            in: "/", name: "bed", folder: folder)
        var failure: (any Error)?
        do {
            try await eventuallyTrue("a MooseFS:\n\(holder.text)\(holder.errors)", every: .milliseconds(50)) {
                try File.exists("\(folder)/ready")
            }
            let first = try #require(ProcessStat.descendants(of: holder.pid).first).pid
            try await body(MooseFS(folder: folder, first: first))
        } catch {
            failure = error
        }
        holder.send(SIGKILL)
        try await holder.end(within: .seconds(20))
        for mount in ["one", "two"] { umount2("\(folder)/\(mount)", Int32(MNT_DETACH)) }
        // The file system's processes end a moment later, and may still write.
        try await eventuallyTrue("the end of the MooseFS") { (try? File.removeTree(folder)) != nil }
        if let failure { throw failure }
    }
}

/// Gives all tests of a suite one MooseFS, `MooseFS.current`.
struct MooseFSTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await MooseFS.with { bed in try await MooseFS.$current.withValue(bed) { try await body() } }
    }
}

extension Trait where Self == MooseFSTrait {
    static var mooseFS: Self { Self() }
}
