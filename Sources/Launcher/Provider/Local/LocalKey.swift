internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The secret key of this user's local pods, `$LAUNCH_HOME/key`. Every token is made from it.
struct LocalKey: Sendable {
    let home: String

    private var path: String { "\(home)/key" }

    private static let size = 32

    /// HMAC-SHA256 of the launch's id. Creates the key, which only its user can read, if there is none. Throws if the key
    /// may be known to others.
    func token(launch: String) throws -> String {
        if try !File.exists(path) {
            try File.makeFolders(home)
            chmod(home, 0o700)
            let key = [UInt8].random(count: Self.size)
            // The first key stays. Staging names are random: tasks, and containers with one home, share pids.
            let staging = "\(path).\([UInt8].random(count: 8).hexadecimal)"
            _ = try File.createExclusively(path, with: key, staging: staging, mode: 0o600)
        }
        return SHA256Digest(authenticating: launch.utf8, key: try read()).description
    }

    private func read() throws(Problem) -> [UInt8] {
        let key = try File.readRegular(path, limit: Self.size)
        var status = stat()
        guard key.count == Self.size, lstat(path, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw Problem(
                "\"\(path)\" is no key: it must hold \(Self.size) bytes that only you can read",
                hint: "remove it when no run is live; the next run makes a new one")
        }
        return key
    }
}
