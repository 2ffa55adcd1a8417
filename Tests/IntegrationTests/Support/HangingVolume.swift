import Glibc
import Shared
import TestSupport
import Testing

/// A volume whose calls hang when a test says so: a FUSE file system in front of a folder of the site.
struct HangingVolume: Sendable {
    let path: String
    private let control: String

    static let isThere = geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0 && Namespaces.areThere
    static let reason: Comment = "a file system of the test's own needs root and /dev/fuse"

    /// From now on these calls do not return, and nothing kills who waits for one.
    func hang(_ calls: String...) throws { try File.write(Array(calls.joined(separator: "\n").utf8), over: control) }

    func goOn() throws { try File.remove(control) }

    /// Whatever happens, nothing hangs any more when this returns.
    static func with(at site: Site, _ body: (HangingVolume) async throws -> Void) async throws {
        let folder = "\(site.root)/hanging"
        let volume = HangingVolume(path: "\(folder)/mount", control: "\(folder)/control")
        try File.makeFolders("\(folder)/behind")
        try File.makeFolders(volume.path)
        // Not what a version manager puts in its place: the module is one of the system's.
        let server = try site.start(
            ["/usr/bin/python3", Programs.bed("hanging.py"), "\(folder)/behind", volume.path, volume.control])
        var failure: (any Error)?
        do {
            try await eventuallyTrue("a mounted volume: \(server.errors)") { isMounted(volume.path) }
            try await body(volume)
        } catch {
            failure = error
        }
        try volume.goOn()
        umount2(volume.path, Int32(MNT_DETACH))
        server.send(SIGTERM)
        try await server.end(within: .seconds(10))
        if let failure { throw failure }
    }

    private static func isMounted(_ path: String) -> Bool {
        (try? File.read("/proc/self/mounts").text.contains(" \(path) fuse")) == true
    }
}
