internal import Shared

// Forms of values that have a meaning for `launch`. Form.swift has those of text, numbers and lists.

extension Form<RunID> {
    static var runID: Form { Form(text: "1 to 40 of a-z, 0-9 and \"-\", not beginning with \"-\"") { RunID($0) } }
}

extension Form<CommandForm> {
    static var command: Form {
        let name = "a text or a list of words"
        return Form(name) { entry throws(ConfigError) in
            if entry.isList {
                let words = try Form<[String]>.list(of: .anyText).read(entry) ?? []
                guard let first = words.first, !first.isEmpty else { throw entry.error("\"\(entry.path)\" is empty") }
                return .exec(words)
            }
            let text = try entry.text(expected: name).value
            guard !text.trimmed.isEmpty else { throw entry.error("\"\(entry.path)\" is empty") }
            return .shell(text)
        }
    }
}

extension Form<String> {
    /// A relative path inside the work tree, or an absolute path. `Config.check` decides if that is on the volume.
    static var workdir: Form {
        Form(text: "a path in the work tree, or an absolute one") { $0.isEmpty || $0.leadsOut ? nil : $0 }
    }

    static var treePath: Form {
        Form(text: "a path in the work tree") { $0.isEmpty || $0.hasPrefix("/") || $0.leadsOut ? nil : $0 }
    }

    static var checkpointPath: Form {
        Form(text: "a path relative to \"workdir\"") { $0.isEmpty || $0.hasPrefix("/") ? nil : $0 }
    }

    static var absolutePath: Form {
        Form(text: "an absolute path") { $0.hasPrefix("/") && $0.normalized != "/" ? $0 : nil }
    }

    static var fileName: Form {
        Form(text: "a file name without \"/\"") { $0.isEmpty || $0.contains("/") || $0 == "." || $0 == ".." ? nil : $0 }
    }

    static var namePattern: Form {
        Form(text: "a pattern for names, without \"/\"") { $0.isEmpty || $0.contains("/") ? nil : $0 }
    }

    static var module: Form {
        Form(text: "the name of a Python module") { text in
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            return parts.allSatisfy(\.isVariableName) ? text : nil
        }
    }

    static var url: Form {
        Form(text: "a URL that begins with https:// or http://") { text in
            let rest = ["https://", "http://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
            let isURL = rest.map { !$0.isEmpty && !$0.hasPrefix("/") && !$0.contains(where: \.isWhitespace) }
            return isURL == true ? text : nil
        }
    }

    /// A URL without a user and a password: logs show everything before its path.
    static var notifyURL: Form {
        Form(url.name) { entry throws(ConfigError) in
            guard let text = try url.read(entry) else { return nil }
            guard !text.urlAuthority.contains("@") else {
                throw entry.error(
                    "\"\(entry.path)\" must be a URL without a user and a password",
                    hint: "a token in its path or query is never shown; keep it in the environment as ${NAME}")
            }
            return text
        }
    }

    static var cudaVersion: Form {
        Form(text: "a version such as 12.8") { text in
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isASCIIDigit) } ? text : nil
        }
    }

    /// A TCP port above 70000 asks RunPod for a port that has the same number inside and outside.
    static var port: Form {
        Form(text: "a port such as 8888/http or 22/tcp") { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].allSatisfy(\.isASCIIDigit), let number = Int(parts[0]) else { return nil }
            let isPort = (1...65535).contains(number) || parts[1] == "tcp" && (70001...99999).contains(number)
            return isPort && ["http", "tcp"].contains(parts[1]) ? text : nil
        }
    }

    /// The agent reads the output with the same engine.
    static var progress: Form {
        let name = "a regex with one group, the step"
        return Form(name) { entry throws(ConfigError) in
            let pattern = try entry.text(expected: name).value
            guard (try? Regex(pattern)) != nil else {
                throw entry.error("\"\(entry.path)\" is not a regex that can be read")
            }
            // An empty alternative makes it match the empty text. The match has the number of groups.
            let match = try? Regex("\(pattern)|").prefixMatch(in: "")
            guard let match, match.output.count == 2 else { throw entry.mismatch(name, hint: "such as 'step (\\d+)'") }
            return pattern
        }
    }
}

extension Form<Config.Code> {
    static func code(_ paths: Paths) -> Form {
        .section { section in
            section.exclusive(["git", "path"], "two code sources", hint: "give \"git\" or \"path\", not both")
            let git = section.get("git", .text)
            let ref = section.get("ref", .text)
            let path = section.get("path", .localPath(paths))
            let include = section.get("include", .list(of: .treePath)) ?? []
            if section.has("git") {
                if section.has("include") {
                    return section.fail(at: "include", "\"code.include\" needs \"code.path\"")
                }
                return git.map { .git(url: $0, ref: ref) }
            }
            if section.has("ref") {
                return section.fail(at: "ref", "\"code.ref\" needs \"code.git\"")
            }
            guard section.has("path") else { return section.lack("\"code\" needs \"path\" or \"git\"") }
            return path.map { .path($0, include: include.map(\.normalized)) }
        }
    }
}

extension Form<String> {
    /// An absolute path of this machine. `~` is the home; a relative path begins in the config's folder.
    static func localPath(_ paths: Paths) -> Form {
        Form(text: "a path of this machine", hint: "\"~\" needs HOME to be set, and \"~name\" is not supported") {
            text in
            text.isEmpty ? nil : paths.resolve(text)
        }
    }
}

extension Form<[String: String]> {
    static var env: Form {
        .section { section in
            section.all(.anyText) { entry, name throws(ConfigError) in
                try entry.checkVariable(name)
                try entry.checkNothingToExpand(name)
            }
        }
    }
}

extension Form<[String: Config.SecretSource]> {
    static var secrets: Form {
        Form("a list of names or a map") { entry throws(ConfigError) in
            guard entry.isList else {
                return try entry.section(expected: "a list of names or a map") { section in
                    section.all(.runpodSecret) { entry, name throws(ConfigError) in try entry.checkVariable(name) }
                }
            }
            var secrets: [String: Config.SecretSource] = [:]
            for item in try entry.items(expected: "a list of names") {
                let name = try item.text(expected: "the name of a variable").value
                try item.checkVariable(name)
                guard let value = item.reader.variables[name], !value.isEmpty else {
                    if let problem = item.reader.variables.problem(with: name) { throw problem }
                    throw item.error(
                        "the secret \"\(name)\" is not set", hint: "set it in \(item.reader.variables.places)")
                }
                secrets[name] = .value(value)
                item.reader.keepSecret(name)
                if value.utf8.count < RunSpec.shortestSecret {
                    item.reader.warn(
                        item.error(
                            "the secret \"\(name)\" is shorter than \(RunSpec.shortestSecret) characters",
                            hint: "it is not masked in the log: so short a text appears by chance"))
                }
            }
            return secrets
        }
    }
}

extension Form<Config.SecretSource> {
    /// An error does not show the value: the user may have written the secret itself there.
    static var runpodSecret: Form {
        let name = "\"runpod:\" and the name of a secret"
        return Form(name) { entry throws(ConfigError) in
            guard entry.isText else { throw entry.mismatch(name) }
            let text = try entry.text(expected: name).value
            guard text.hasPrefix("runpod:"), text != "runpod:" else {
                throw entry.error(
                    "\"\(entry.path)\" must be \(name)",
                    hint: "a secret of this machine belongs in a list: secrets: [NAME]")
            }
            return .runpod(String(text.dropFirst("runpod:".count)))
        }
    }
}

extension Entry {
    fileprivate func checkVariable(_ name: String) throws(ConfigError) {
        guard name.isVariableName else {
            throw keyError(
                "\(reader.quoted(name)) is not the name of a variable",
                hint: "letters, digits and \"_\", no digit first")
        }
        guard !name.hasPrefix("POD_AGENT_") else { throw keyError("\"\(name)\" is a variable of pod-agent itself") }
    }

    /// Throws for `$NAME` and a leading `~`: no shell reads the value of a variable, so both would arrive as they are.
    fileprivate func checkNothingToExpand(_ name: String) throws(ConfigError) {
        guard let written else { return }
        let hint = "set \"\(name)\" in \"command\", where the pod's shell expands it"
        if written == "~" || written.hasPrefix("~/") {
            throw error(
                "\"\(path)\" begins with \"~\", which nothing expands",
                hint: "write ${HOME}\(written.dropFirst()), or " + hint)
        }
        if let used = written.firstShellVariable {
            throw error(
                "\"\(path)\" uses \"$\(used)\", which nothing expands",
                hint: "write ${\(used)} for its value here, or " + hint)
        }
    }
}

extension Form<Resources.Volume> {
    static func volume(_ paths: Paths) -> Form {
        .section { section in
            let kinds = ["network", "size", "path"]
            section.exclusive(
                kinds, "two kinds of volume", hint: "give one of \"network\", \"size\" and \"path\"")
            let network = section.get("network", .text)
            let size = section.get("size", .gigabytes)
            let path = section.get("path", .localPath(paths))
            let mount = section.get("mount", .absolutePath) ?? "/workspace"
            if section.has("path") {
                if section.has("mount") {
                    return section.fail(
                        at: "mount", "a folder is not mounted: \"mount\" goes with \"network\" or \"size\"")
                }
                return path.map { .folder($0) }
            }
            if section.has("network") { return network.map { .network(id: $0, mount: mount) } }
            if section.has("size") { return size.map { .pod(size: $0, mount: mount) } }
            return section.lack("\"resources.volume\" needs one of \"network\", \"size\" and \"path\"")
        }
    }
}

extension Form<OnFinish> {
    private enum Word: String, CaseIterable { case terminate, stop, keep }

    static var onFinish: Form {
        let name = "\"terminate\", \"stop\", \"keep\" or {keep: DURATION}"
        return Form(name) { entry throws(ConfigError) in
            if entry.isMap {
                return try entry.section(expected: name) { section in
                    section.required("keep", .duration).map { .keep($0) }
                }
            }
            let text = try entry.text(expected: name).value
            switch Word(rawValue: text) {
            case .terminate: return .terminate
            case .stop: return .stop
            case .keep: return .keep(nil)
            case nil:
                let nearest = Word.allCases.map(\.rawValue).nearest(to: entry.written ?? "")
                throw entry.mismatch(name, hint: nearest.map { "did you mean \"\($0)\"?" })
            }
        }
    }
}

extension Form<DiskFull> {
    static var diskFull: Form {
        let name = "\"stop\" or {pause: DURATION}"
        return Form(name) { entry throws(ConfigError) in
            if entry.isMap {
                return try entry.section(expected: name) { section in
                    section.required("pause", .duration).map { .pause($0) }
                }
            }
            guard try entry.text(expected: name).value == "stop" else { throw entry.mismatch(name) }
            return .stop
        }
    }
}

extension Form<[String]> {
    /// The first pattern is that of a checkpoint's main file, the others are those of files that belong to it.
    static var namePatterns: Form {
        let one = Form<String>.namePattern
        return Form("\(one.name), or a list of them") { entry throws(ConfigError) in
            if entry.isText { return try one.read(entry).map { [$0] } }
            let patterns = try Form.list(of: one).read(entry)
            if patterns?.isEmpty == true { throw entry.mismatch("a list with a pattern") }
            return patterns
        }
    }
}
