internal import Shared

/// The settings of pip from the user's variables and files, as far as they would lead an installation elsewhere.
struct PipSettings: Sendable {
    /// Variables that move what pip installs, or keep it from installing.
    static let moving: Set = [
        "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_DRY_RUN", "PIP_PYTHON", "PIP_REPORT", "PIP_UPGRADE",
        "PIP_EDITABLE", "PIP_SRC", "PIP_DOWNLOAD", "PIP_REQUIRE_VIRTUALENV",
    ]

    /// The output of `pip config list`.
    private let list: String

    init(list: String) { self.list = list }

    /// Whether a setting holds a URL with a password.
    var haveCredentials: Bool { Credentials.areIn(list) }

    /// Returns the options that keep the installation in `environment`, whatever files of the user say. Only an option
    /// on the command line takes precedence over such a file.
    func options(for environment: VirtualEnvironment) -> [String] {
        let names = list.split(separator: "\n").compactMap { line in
            line.split(separator: "=").first?.split(separator: ".").last.map(String.init)
        }
        let options = [
            "target": "--target=", "prefix": "--prefix=\(environment.path)", "root": "--root=/", "user": "--no-user",
        ]
        return Set(names).sorted().compactMap { options[$0] }
    }
}
