internal import Shared

/// A Python environment on the volume. It is installed once for a set of requirements and reused by its fingerprint.
struct PythonEnvironment: Sendable, Equatable {
    let path: String

    var python: String { "\(path)/bin/python" }

    /// Returns the variables that `activate` would set. `path` is the present PATH.
    func variables(path: String?) -> [String: String] {
        ["VIRTUAL_ENV": self.path, "PATH": "\(self.path)/bin:" + (path ?? "/usr/local/bin:/usr/bin:/bin")]
    }
}
