internal import Shared

/// Rules that involve several keys.
extension Config {
    /// In bytes. With smaller segments the log would be thousands of files.
    private static let smallestSegment = 64 << 10

    func check(with reader: ConfigReader, paths: Paths) {
        checkResume(with: reader)
        if settings.checkpoints?.names != nil, settings.checkpoints?.keep == nil {
            reader.warn(
                reader.error(
                    at: "checkpoints.names",
                    "a kill during a save can destroy a checkpoint of \"checkpoints.names\"",
                    hint:
                        "keep: 1 keeps a copy of the last proven one; it also deletes older numbered checkpoints"
                ))
        }
        checkPaths(with: reader, paths: paths)
        checkResources(with: reader)
        if settings.dependencies.isEmpty, reader.given.contains(where: { $0.path == "dependencies" }) {
            reader.warn(reader.error(at: "dependencies", "\"dependencies\" names nothing to install"))
        }
        if settings.logs.segment > settings.logs.keep {
            reader.report(reader.error(at: "logs.segment", "\"logs.segment\" is larger than \"logs.keep\""))
        }
        if settings.logs.segment < Self.smallestSegment {
            reader.report(
                reader.error(at: "logs.segment", "\"logs.segment\" is less than 64 kB", hint: "use 1MB or more"))
        }
        settings.provider.rules.check(self, with: reader)
        for name in secrets.keys where settings.env[name] != nil {
            reader.report(
                reader.error(at: "env.\(name)", "\"\(name)\" is in \"env\" and in \"secrets\"", hint: "keep one"))
        }
    }

    private func checkResume(with reader: ConfigReader) {
        let usesResume = settings.command.texts.contains { $0.contains("{resume}") }
        if settings.command.texts.contains(where: { $0.contains("{checkpoint}") }) {
            reader.report(
                reader.error(
                    at: "command", "\"{checkpoint}\" is allowed in \"resume\" only",
                    hint: "write {resume} in \"command\", and resume: --resume {checkpoint}"))
        }
        if case .exec(let words) = settings.command,
            words.contains(where: { $0.contains("{resume}") && $0 != "{resume}" })
        {
            reader.report(
                reader.error(
                    at: "command", "\"{resume}\" in a list must be an element of its own",
                    hint: "such as [python, train.py, \"{resume}\"]"))
        }
        checkFresh(with: reader, usesResume: usesResume)
        checkNothingToExpand(with: reader)
        guard let resume = settings.resume else {
            if usesResume, settings.fresh == nil {
                reader.report(
                    reader.error(
                        at: "command", "\"command\" uses {resume}, but there is no \"resume\"",
                        hint: "such as resume: --resume {checkpoint}"))
            }
            return
        }
        if resume.texts.contains(where: { $0.contains("{resume}") }) {
            reader.report(reader.error(at: "resume", "\"{resume}\" is allowed in \"command\" only"))
        }
        if case .exec = settings.command, case .shell = resume {
            reader.report(
                reader.error(
                    at: "resume", "\"resume\" must be a list if \"command\" is one",
                    hint: "such as [\"--resume\", \"{checkpoint}\"]"))
        }
        if settings.checkpoints == nil {
            reader.report(
                reader.error(
                    at: "resume", "\"resume\" needs \"checkpoints.path\"", hint: "say where the training saves"))
        }
        if !usesResume {
            reader.warn(
                reader.error(
                    at: "resume", "\"resume\" is not used: \"command\" has no {resume}",
                    hint: "the checkpoint's path is also in $POD_AGENT_RESUME"))
        }
    }

    private func checkFresh(with reader: ConfigReader, usesResume: Bool) {
        guard let fresh = settings.fresh else { return }
        if fresh.texts.contains(where: { $0.contains("{resume}") || $0.contains("{checkpoint}") }) {
            reader.report(
                reader.error(
                    at: "fresh",
                    "\"fresh\" is for a start without a checkpoint: it takes no {resume} and no {checkpoint}"))
        }
        if case .exec = settings.command, case .shell = fresh {
            reader.report(
                reader.error(
                    at: "fresh", "\"fresh\" must be a list if \"command\" is one",
                    hint: "such as [\"--overwrite_output_dir\"]"))
        }
        if !usesResume {
            reader.warn(reader.error(at: "fresh", "\"fresh\" is not used: \"command\" has no {resume}"))
        }
    }

    /// Warns of `${NAME}` in a command without a shell, which the training gets as it is.
    private func checkNothingToExpand(with reader: ConfigReader) {
        let shells = ["sh", "bash", "dash", "zsh", "env"]
        guard case .exec(let words) = settings.command, let program = words.first?.lastComponent,
            !shells.contains(program),
            let used = words.lazy.compactMap(\.firstBracedVariable).first
        else { return }
        reader.warn(
            reader.error(
                at: "command", "nothing expands \"${\(used)}\": a list runs without a shell",
                hint: "write \"command\" as a text, which the pod's shell reads"))
    }

    private func checkPaths(with reader: ConfigReader, paths: Paths) {
        let workdir = settings.workdir
        let isAbsolute = workdir.hasPrefix("/")
        let volume = volumeRoot(paths)
        if isAbsolute, !workdir.isInside(volume) {
            reader.report(
                reader.error(
                    at: "workdir", "an absolute \"workdir\" must be on the volume",
                    hint: volume.map { "the volume is \"\($0)\"" }))
        } else if let checkpoints = settings.checkpoints {
            let folder = workdir.appending(path: checkpoints.path)
            if isAbsolute ? !folder.isInside(volume) : folder.leadsOut {
                reader.report(
                    reader.error(
                        at: "checkpoints.path",
                        "\"checkpoints.path\" leads out of \(isAbsolute ? "the volume" : "the work tree")"))
            }
        }
    }

    /// The volume's path as the training sees it: the mount point, or for `local` the folder.
    private func volumeRoot(_ paths: Paths) -> String? {
        switch resources.volume {
        case .folder(let path): return path
        case .network(_, let mount), .pod(_, let mount): return mount
        case nil: return settings.provider.rules.defaultMount(paths)
        }
    }

    private func checkResources(with reader: ConfigReader) {
        if case .network = resources.volume, resources.cloud == .community {
            reader.report(
                reader.error(
                    at: "resources.cloud", "the community cloud has no network volumes",
                    hint: "use cloud: secure, or a volume with a \"size\""))
        }
    }
}

extension CommandForm {
    /// The text of a shell command, or each word of a list.
    var texts: [String] {
        switch self {
        case .shell(let text): [text]
        case .exec(let words): words
        }
    }
}
