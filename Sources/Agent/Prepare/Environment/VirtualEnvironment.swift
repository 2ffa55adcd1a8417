internal import Glibc
internal import Shared

/// A virtual environment of Python as a folder, PEP 405. It is made without Python's own `venv`, which many images lack.
struct VirtualEnvironment: Sendable, Equatable {
    let path: String
    let image: ImagePython

    var python: String { "\(path)/bin/python" }
    var packages: String { "\(path)/\(image.sitePackages)" }

    /// Makes the folder. The environment sees the image's packages, and before them those in `folders`.
    func make(seeing folders: [String]) throws {
        try File.makeFolders("\(path)/bin")
        try File.makeFolders(packages)
        // pip puts compiled packages there on some distributions.
        try File.replaceLink("\(path)/lib64", to: "lib")
        let names = ["python", "python3", image.sitePackages.parentFolder.lastComponent]
        for name in names { try File.replaceLink("\(path)/bin/\(name)", to: image.base) }
        let settings = """
            home = \(image.base.parentFolder)
            include-system-site-packages = \(image.seesBase)
            executable = \(image.base)

            """
        try File.write(Array(settings.utf8), over: "\(path)/pyvenv.cfg")
        let lines = folders.map { "import site; site.addsitedir(\(Self.literal($0)))\n" }.joined()
        if !lines.isEmpty { try File.write(Array(lines.utf8), over: "\(packages)/\(Self.pathFile)") }
    }

    /// Lists folders with more packages. Python reads it at each start.
    static let pathFile = "_pod_agent.pth"

    /// Returns a text as a literal of Python.
    static func literal(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
