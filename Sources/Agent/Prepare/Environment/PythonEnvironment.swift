internal import Shared

/// A Python environment on the volume, made once for a set of requirements and found again by its fingerprint.
struct PythonEnvironment: Sendable, Equatable {
    let path: String

    var python: String { "\(path)/bin/python" }

    /// What `activate` sets. `path` is the PATH to put it in front of.
    func variables(path: String?) -> [String: String] {
        ["VIRTUAL_ENV": self.path, "PATH": "\(self.path)/bin:" + (path ?? "/usr/local/bin:/usr/bin:/bin")]
    }
}
