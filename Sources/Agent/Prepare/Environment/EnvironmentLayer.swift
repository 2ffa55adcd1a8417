internal import Glibc
internal import Shared

/// The virtual environment of one run over an environment that it shares with other runs. What the training installs by
/// itself goes in here. Each attempt begins with an empty one.
struct EnvironmentLayer: Sendable {
    let path: String
    /// The shared environment.
    let environment: VirtualEnvironment

    private var layer: VirtualEnvironment { VirtualEnvironment(path: path, image: environment.image) }
    private var hook: String { "\(path)/hook" }

    /// Makes the layer anew.
    func make() throws -> PythonEnvironment {
        try File.removeTree(path)
        try layer.make(seeing: [environment.packages])
        try File.makeFolders(hook)
        try File.write(Array(siteHook.utf8), over: "\(hook)/sitecustomize.py")
        for name in ["pip", "pip3"] {
            let script = "#!/bin/sh\nexec \(TrainingCommand.quote(layer.python)) -m pip \"$@\"\n"
            try File.write(Array(script.utf8), over: "\(path)/bin/\(name)")
            chmod("\(path)/bin/\(name)", 0o755)
        }
        return PythonEnvironment(path: path, shared: environment.path, hook: hook)
    }

    /// Runs at the start of each interpreter. It shows the layer to the image's interpreter and to that of the shared
    /// environment, because scripts such as torchrun name theirs in the first line. Other interpreters are left alone.
    private var siteHook: String {
        let known = [environment.image.prefix, environment.path].map(VirtualEnvironment.literal)
        return """
            # Made by pod-agent, and made anew by each attempt.
            import importlib.machinery, importlib.util, os, site, sys

            def show():
                real = os.path.realpath
                prefixes = [real(folder) for folder in (\(known.joined(separator: ", ")))]
                if real(sys.prefix) not in prefixes: return
                if sys.implementation.cache_tag != \(VirtualEnvironment.literal(environment.image.tag)): return
                before = list(sys.path)
                site.addsitedir(\(VirtualEnvironment.literal(layer.packages)))
                added = [entry for entry in sys.path if entry not in before]
                try: own = site.getsitepackages() + [site.getusersitepackages()]
                except Exception: own = []
                first = min([before.index(entry) for entry in own if entry in before], default=len(before))
                sys.path[:] = before[:first] + added + before[first:]

            def follow():
                here = os.path.realpath(os.path.dirname(__file__))
                folders = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
                spec = importlib.machinery.PathFinder.find_spec("sitecustomize", folders)
                if spec is None or spec.loader is None: return
                module = importlib.util.module_from_spec(spec)
                sys.modules["sitecustomize"] = module
                spec.loader.exec_module(module)

            show()
            follow()

            """
    }
}
