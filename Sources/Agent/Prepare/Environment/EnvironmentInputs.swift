internal import Shared

/// The inputs of a run's environment, from which its key is made.
struct EnvironmentInputs: Sendable {
    let dependencies: Dependencies
    /// The folder that holds all environments. An environment has absolute paths in it.
    let place: String
    let run: RunFolder
    /// All variables of the installer.
    let variables: [String: String]
    /// The config's `env`.
    let config: [String: String]
    /// The names of the variables whose values are secret.
    let secrets: [String]

    /// The start of names that no build reads.
    private static let runtime = [
        "WANDB_", "MLFLOW_", "COMET_", "NEPTUNE_", "HF_", "HUGGINGFACE_", "TRANSFORMERS_", "TOKENIZERS_", "DATASETS_",
        "NCCL_", "GLOO_", "OMP_", "MKL_", "OPENBLAS_", "PYTORCH_", "TORCHELASTIC_", "TRITON_", "TF_CPP_",
        "CUDA_VISIBLE_DEVICES", "CUDA_LAUNCH_BLOCKING", "PYTHON", "TQDM_", "MASTER_", "WORLD_SIZE", "RANK",
        "LOCAL_RANK",
    ]
    /// Settings of pip that do not change what is installed.
    private static let quietSettings: Set = [
        "PIP_CACHE_DIR", "PIP_DEFAULT_TIMEOUT", "PIP_TIMEOUT", "PIP_RETRIES", "PIP_QUIET", "PIP_VERBOSE", "PIP_LOG",
        "PIP_PROGRESS_BAR", "PIP_NO_INPUT", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR", "PIP_CERT",
        "PIP_NO_COLOR", "PIP_ROOT_USER_ACTION", "PIP_PROXY", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE",
    ]

    /// The requirement files, with the values of all variables but the secret ones.
    func requirements() throws -> RequirementTree {
        let variables = variables.filter { !secrets.contains($0.key) }
        do {
            var tree = try RequirementTree(dependencies.requirements, in: run.work, variables: variables)
            if let overrides = dependencies.overridesFile {
                tree.append(RequirementFile(overrides, variables: variables), named: "dependencies.overrides")
            }
            return tree
        } catch let missing as RequirementTree.MissingFile {
            throw missing.problem
        }
    }

    /// The key, and the editable packages with the content that decides if pip copied them. Blocks while it reads
    /// files.
    func key(for python: ImagePython) throws -> (key: EnvironmentKey, editables: [String: String]) {
        let requirements = try requirements()
        let content = try LocalContent(run: run)
        var key = EnvironmentKey()
        key.add("the place of the volume", place)
        key.add("the interpreter", "\(python.executable) \(python.prefix) \(python.version)")
        let packages = python.packages.sorted { $0.key < $1.key }.map { "\($0) \($1)" }
        key.add("the packages of the image", packages.joined(separator: "\n"))
        key.add("the list of requirement files", dependencies.requirements.joined(separator: "\n"))
        for node in requirements.nodes { key.add(node.path, node.file.lines.map(\.text).joined(separator: "\n")) }
        key.add("\"env\"", buildVariables)
        key.add("the settings of pip", settings)
        try addPlaces(of: requirements, content, to: &key)
        let editables = try addPackages(of: requirements, content, to: &key)
        return (key, editables)
    }

    private var buildVariables: String {
        config.filter { name, _ in !Self.runtime.contains { name.hasPrefix($0) } && !name.hasPrefix("PIP_") }
            .sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: "\n")
    }

    private var settings: String {
        variables.filter { name, _ in
            name.hasPrefix("PIP_") && !Self.quietSettings.contains(name) && !secrets.contains(name)
        }
        .sorted { $0.key < $1.key }.map { "\($0)=\(Credentials.removing(from: $1))" }.joined(separator: "\n")
    }

    /// Adds the folders that `--find-links` names in files and in pip's variable, and the constraints of pip's
    /// variable.
    private func addPlaces(
        of requirements: RequirementTree, _ content: LocalContent, to key: inout EnvironmentKey
    ) throws {
        var links: [String] = []
        for node in requirements.nodes {
            for reference in node.file.references where reference.kind == .links && !reference.isRemote {
                // As in pip: beside the file if the path is there.
                let beside = node.path.contains("/") ? node.path.parentFolder.appending(path: reference.target) : nil
                let isBeside = beside.map { File.statusOfTarget(run.work.appending(path: $0)) != nil } ?? false
                links.append(isBeside ? beside ?? reference.target : reference.target)
            }
        }
        links += words(of: "PIP_FIND_LINKS").filter { !RequirementReference.isRemote($0) }
        for path in links.unique { key.add(path, try content.linksDigest(of: path), isOwn: true) }
        for path in words(of: "PIP_CONSTRAINT") where !RequirementReference.isRemote(path) {
            key.add(path, try content.digest(of: path))
        }
    }

    private func words(of variable: String) -> [String] {
        (variables[variable] ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// Adds the files and folders that are installed by their path.
    private func addPackages(
        of requirements: RequirementTree, _ content: LocalContent, to key: inout EnvironmentKey
    ) throws -> [String: String] {
        let references = requirements.nodes.flatMap(\.file.references)
        for path in references.filter({ $0.kind == .package }).map(\.target).unique {
            key.add("\"\(path)\"", try content.digest(of: path), isOwn: true)
        }
        var editables: [String: String] = [:]
        for path in references.filter({ $0.kind == .editable }).map(\.target).unique {
            key.add("\"-e \(path)\"", try content.buildDigest(of: path), isOwn: true)
            editables[path] = SHA256Digest(of: try content.digest(of: path)).description
        }
        return editables
    }
}

extension [String] {
    /// The elements in order, each one once.
    fileprivate var unique: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
