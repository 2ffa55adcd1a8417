import Glibc
import Shared
import TestSupport
import Testing

/// A volume whose calls hang while a test wants it: a FUSE file system in front of a folder of the site.
struct HangingVolume: Sendable {
    let path: String
    private let control: String

    static let isAvailable = geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0 && Namespaces.areAvailable
    static let reason: Comment = "a FUSE file system needs root and /dev/fuse"

    /// Makes these calls hang. A process that waits for one cannot be killed.
    func hang(_ calls: String...) throws { try File.write(Array(calls.joined(separator: "\n").utf8), over: control) }

    /// Lets all calls return.
    func resume() throws { try File.remove(control) }

    /// Mounts the volume for `body`. No call hangs any more when this returns or throws.
    static func with(at site: Site, _ body: (HangingVolume) async throws -> Void) async throws {
        let folder = "\(site.root)/hanging"
        let volume = HangingVolume(path: "\(folder)/mount", control: "\(folder)/control")
        try File.makeFolders("\(folder)/behind")
        try File.makeFolders(volume.path)
        // The module `fuse` is installed for the system's own Python.
        let server = try site.start(
            ["/usr/bin/python3", Programs.bed("hanging.py"), "\(folder)/behind", volume.path, volume.control])
        var failure: (any Error)?
        do {
            try await eventuallyTrue("a mounted volume: \(server.errors)") { isMounted(volume.path) }
            try await body(volume)
        } catch {
            failure = error
        }
        try volume.resume()
        umount2(volume.path, Int32(MNT_DETACH))
        server.send(SIGTERM)
        try await server.end(within: .seconds(10))
        if let failure { throw failure }
    }

    private static func isMounted(_ path: String) -> Bool {
        (try? File.read("/proc/self/mounts").text.contains(" \(path) fuse")) == true
    }
}
