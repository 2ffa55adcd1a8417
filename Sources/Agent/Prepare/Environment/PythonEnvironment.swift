internal import Shared

/// The Python environment of a training: a layer of its own over a shared environment on the volume.
struct PythonEnvironment: Sendable, Equatable {
    /// The layer.
    let path: String
    /// The shared environment with the requirements.
    let shared: String
    /// A folder for PYTHONPATH, whose `sitecustomize.py` shows the layer to the image's own interpreter.
    let hook: String

    var python: String { "\(path)/bin/python" }

    /// Returns the variables of the environment. `variables` are the training's other ones: its PATH and PYTHONPATH
    /// are extended.
    func variables(over variables: [String: String]) -> [String: String] {
        let path = variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let modules = variables["PYTHONPATH"].flatMap { $0.isEmpty ? nil : ":" + $0 } ?? ""
        return [
            "VIRTUAL_ENV": self.path, "PATH": "\(self.path)/bin:\(shared)/bin:\(path)", "PYTHONPATH": hook + modules,
        ]
    }
}
