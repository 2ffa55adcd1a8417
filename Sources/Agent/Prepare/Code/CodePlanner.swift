internal import Shared

/// Decides what a sync does with each path of the work tree. Only reads.
struct CodePlanner {
    let tree: CodeWorkTree
    let brought: BroughtContent
    /// The content of the new pack, with the folders that its files are in.
    let new: [CodePath: CodeContent]
    let checkpoints: CheckpointArea
    /// The folder for results that must make room.
    let replacedFolder: String
    /// An earlier sync did not complete.
    let isRepeat: Bool

    private var plan = CodePlan()
    private var databases: DatabaseFiles
    /// Paths of files and links that make room for a folder.
    private var vacated: Set<CodePath> = []
    /// Folders that make room for a file.
    private var dissolved: Set<CodePath> = []
    /// Files whose journals, if they are databases, need no decision of their own.
    private var decided: Set<CodePath> = []

    init(
        tree: CodeWorkTree, brought: BroughtContent, new: [CodePath: CodeContent], checkpoints: CheckpointArea,
        replacedFolder: String, isRepeat: Bool
    ) {
        (self.tree, self.brought, self.new, self.checkpoints) = (tree, brought, new, checkpoints)
        (self.replacedFolder, self.isRepeat) = (replacedFolder, isRepeat)
        databases = DatabaseFiles(of: tree)
    }

    /// Calls `step` before each path; `step` may throw to cancel.
    mutating func make(step: () throws -> Void) throws -> CodePlan {
        // A folder comes before the paths in it.
        for path in brought.paths.union(new.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            try step()
            if let part = checkpoints.part(of: path.text) {
                // Some trainings do not create the folder.
                let isWhole = Array(part.utf8) == path && !checkpoints.containsCode
                if isWhole, new[path] == .folder, try tree.content(of: path) == nil { plan.puts.insert(path) }
            } else if let database = DatabaseFiles.database(of: path), decided.contains(database) {
                continue
            } else if let content = new[path] {
                try place(content, at: path)
            } else {
                try retire(path)
            }
        }
        plan.emptied = brought.paths.filter { path in
            brought.isFolder(path) && new[path] != .folder && checkpoints.part(of: path.text) == nil
        }
        .sorted { $1.lexicographicallyPrecedes($0) }
        return plan
    }

    // MARK: A path of the new pack

    private mutating func place(_ content: CodeContent, at path: CodePath) throws {
        let here = try present(at: path, besides: content)
        let action = brought.action(for: path, here: here, new: content)
        if content == .folder { return try placeFolder(at: path, here, action) }
        if here == .folder && action != .stay {
            dissolved.insert(path)
            plan.puts.insert(path)
            if try hasResults(in: path) { setAside(path) }
            return
        }
        switch action {
        case .leave, .remove: break
        case .put:
            plan.puts.insert(path)
            // A sync that was stopped may have moved only the database.
            if here == nil { try setAsideJournals(of: path) }
        case .setAside:
            setAside(path)
            try setAsideJournals(of: path)
            plan.puts.insert(path)
        case .stay:
            plan.stays.append(CodePlan.Stay(path: path, isInCode: true))
            decided.insert(path)
        }
    }

    private mutating func placeFolder(
        at path: CodePath, _ here: CodeContent?, _ action: FileOwnership.Action
    ) throws {
        guard let here, here != .folder else { return plan.puts.formUnion([path]) }
        if action == .setAside {
            // A link that the user put in the place of a folder. If it leads nowhere, its disk may be missing.
            if brought.contents(of: path).allSatisfy({ $0 == .folder }) {
                if tree.leadsToFolder(path) { return }
                if tree.leadsNowhere(path) { throw tree.inTheWay("a link that leads nowhere", path) }
            }
            setAside(path)
        } else {
            plan.removals.append(path)
        }
        vacated.insert(path)
        plan.puts.insert(path)
    }

    /// Returns the content at `path` as it will be when the pack's member comes.
    private mutating func present(at path: CodePath, besides new: CodeContent) throws -> CodeContent? {
        if path.folders.contains(where: vacated.contains) { return nil }
        let here = try content(of: path, comparedWith: brought.contents(of: path) + [new])
        // A crash of the host may have taken the bytes that the unfinished sync had written.
        return isRepeat && here?.size == 0 && brought.interrupted[path] != nil ? nil : here
    }

    /// Returns what is at the path. A database with a journal of the training is `unknown`: its content is in both.
    private mutating func content(of path: CodePath, comparedWith others: [CodeContent]) throws -> CodeContent? {
        let here = try tree.content(of: path, comparedWith: others)
        guard case .file = here, try !journalsOfTraining(of: path).isEmpty, databases.isDatabase(path) else {
            return here
        }
        return .unknown
    }

    private mutating func journalsOfTraining(of database: CodePath) throws -> [CodePath] {
        try databases.journals(of: database).filter { journal in
            guard let here = try tree.content(of: journal, comparedWith: brought.contents(of: journal)) else {
                return false
            }
            return here.size != 0 && brought.action(for: journal, here: here, new: nil) != .remove
        }
    }

    /// Moves the training's journals away from a place where a database of the pack comes.
    private mutating func setAsideJournals(of path: CodePath) throws {
        let journals = try journalsOfTraining(of: path)
        // The magic is that of the database before; without one its journals lie there alone.
        let isDatabase = tree.status(path) == nil ? isRepeat : databases.isDatabase(path)
        guard !journals.isEmpty, isDatabase else { return }
        for journal in journals {
            setAside(journal)
            if new[journal] != nil { plan.puts.insert(journal) }
        }
        decided.insert(path)
    }

    /// Whether more is in a folder than files that go and folders that packs brought.
    private func hasResults(in folder: CodePath) throws -> Bool {
        for name in try tree.names(in: folder) {
            let path = folder.appending(name)
            if checkpoints.part(of: path.text) != nil { throw tree.inTheWay("a folder of checkpoints", path) }
            let here = try tree.content(of: path, comparedWith: brought.contents(of: path))
            if here == .folder {
                if try !brought.isFolder(path) || hasResults(in: path) { return true }
            } else if brought.action(for: path, here: here, new: nil) != .remove {
                return true
            }
        }
        return false
    }

    private mutating func setAside(_ path: CodePath) {
        plan.replaced.append(
            CodePlan.Replaced(path: path, target: File.free("\(replacedFolder)/\(path.text)")))
    }

    // MARK: A path that only earlier packs brought

    private mutating func retire(_ path: CodePath) throws {
        let contents = brought.contents(of: path)
        // Nothing is removed through a link.
        if contents.allSatisfy({ $0 == .folder }) || tree.isBelowLink(path) { return }
        let here = try content(of: path, comparedWith: contents)
        if here == .folder && contents.contains(.folder) { return }
        let isLostWrite = isRepeat && here?.size == 0 && brought.interrupted[path] != nil
        switch isLostWrite ? .remove : brought.action(for: path, here: here, new: nil) {
        case .remove: plan.removals.append(path)
        case .stay where !path.folders.contains(where: dissolved.contains):
            plan.stays.append(CodePlan.Stay(path: path, isInCode: false))
            decided.insert(path)
        default: break
        }
    }
}
