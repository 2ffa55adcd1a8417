/// The packages that are installed before the training starts.
public struct Dependencies: Sendable, Codable, Equatable {
    public enum Environment: String, Sendable, Codable, CaseIterable { case venv, target, system }
    public enum Installer: String, Sendable, Codable, CaseIterable { case auto, pip, uv }

    /// Requirement files of pip, relative to the work tree.
    public var requirements: [String] = []
    /// Requirements that are installed last, in place of the versions that the files ask for.
    public var overrides: [String] = []
    public var environment = Environment.venv
    public var installer = Installer.auto
    /// The interpreter that makes the environment.
    public var python = "python3"
    public var cache = true
    /// Modules that must import once everything is installed.
    public var checkImports: [String] = []

    public init() {}

    public init(requirements: [String], python: String? = nil) {
        self.requirements = requirements
        if let python { self.python = python }
    }

    /// The overrides as a requirement file; nil if there are none.
    public var overridesFile: [UInt8]? {
        overrides.isEmpty ? nil : Array((overrides.joined(separator: "\n") + "\n").utf8)
    }

    public var isEmpty: Bool { requirements.isEmpty && overrides.isEmpty }
}
