internal import Shared

/// The secret key of this user's local pods, `$LAUNCH_HOME/key`. Every token is made from it.
struct LocalKey: Sendable {
    let home: String

    private var path: String { "\(home)/key" }

    /// HMAC-SHA256 of the launch's id. Creates the key, which only its user can read, if there is none.
    func token(launch: String) throws -> String {
        if try !File.exists(path) {
            try File.makeFolders(home)
            let key = [UInt8].random(count: 32)
            // The first key stays. Staging names are random: tasks, and containers with one home, share pids.
            let staging = "\(path).\([UInt8].random(count: 8).hexadecimal)"
            _ = try File.createExclusively(path, with: key, staging: staging, mode: 0o600)
        }
        return SHA256Digest(authenticating: launch.utf8, key: try File.read(path)).description
    }
}
