internal import FoundationEssentials
internal import Shared

/// The image's interpreter, and the packages that it sees.
struct ImagePython: Sendable, Codable, Equatable {
    /// The interpreter as it was started, and the one that a virtual environment links to.
    var executable: String
    var base: String
    var prefix: String
    /// Such as `cpython-311`: what compiled packages have to match.
    var tag: String
    /// Such as `lib/python3.11/site-packages`.
    var sitePackages: String
    /// Whether an environment sees the packages of the base interpreter too.
    var seesBase: Bool
    /// The interpreter's own folders with packages, if it is that of a virtual environment.
    var own: [String]
    /// Version, machine and C library.
    var version: String
    /// The names of the packages in each folder that the interpreter searches.
    var packages: [String: [String]]

    /// Asks the interpreter `name`, a path or a name in PATH.
    static func probe(
        _ name: String, environment: [String: String], folder: String, jobs: any JobRunner
    ) async throws -> ImagePython {
        let (status, output) = try await jobs.capture([name, "-c", script], environment: environment, folder: folder)
        guard status == .code(0) else { throw Problem("\"\(name)\" does not work: \(output.text.trimmed)") }
        // The image's own start-up files may print lines before it.
        let line = output.split(separator: UInt8(ascii: "\n")).last ?? []
        guard let python = try? JSON.decode(ImagePython.self, from: line) else {
            throw Problem(
                "\"\(name)\" does not say what it is: \(output.text.trimmed)",
                hint: "\"dependencies.python\" has to be Python 3.7 or newer")
        }
        return python
    }

    /// Imports as little as it can, because each start of a run waits for it.
    private static let script = """
        import os, site, sys
        def names(folder):
            try: found = os.listdir(folder)
            except OSError: return []
            return sorted(n for n in found if n.endswith((".dist-info", ".egg-info", ".egg-link", ".pth")))
        def text(value):
            value = value.replace("\\\\", "\\\\\\\\").replace('"', '\\\\"')
            return '"' + "".join(c if c >= " " else " " for c in value) + '"'
        def json(value):
            if isinstance(value, bool): return "true" if value else "false"
            if isinstance(value, str): return text(value)
            if isinstance(value, list): return "[" + ",".join(map(json, value)) + "]"
            return "{" + ",".join(text(k) + ":" + json(v) for k, v in value.items()) + "}"
        try: libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
        except (AttributeError, OSError, ValueError): libc = ""
        name = "pypy" if sys.implementation.name == "pypy" else "python"
        lib = "lib/%s%d.%d/site-packages" % (name, sys.version_info[0], sys.version_info[1])
        virtual = sys.prefix != sys.base_prefix
        own = [f for f in site.getsitepackages([sys.prefix]) if os.path.isdir(f)] if virtual else []
        folders = [f for f in sys.path if f and os.path.isdir(f) and not f.startswith(os.getcwd())]
        sys.stdout.buffer.write(json({
            "executable": sys.executable, "base": getattr(sys, "_base_executable", None) or sys.executable,
            "prefix": os.path.realpath(sys.prefix), "tag": sys.implementation.cache_tag or "", "sitePackages": lib,
            "seesBase": not virtual or sys.base_prefix in site.PREFIXES, "own": own,
            "version": " ".join([sys.version, os.uname().machine, libc]),
            "packages": {f: n for f, n in ((f, names(f)) for f in folders) if n}}).encode("utf-8", "replace"))
        """
}
