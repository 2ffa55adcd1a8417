internal import Shared

/// Finds the variable files of a config: beside it, in the folder of its code, and at the top of its git repository.
enum VariableFiles {
    private static let names = [".env", ".runpod.env"]

    /// Reads the files in the order in which they count. A file that is absent sets nothing. `code` is the folder that
    /// the config packs.
    static func read(config: String, paths: Paths, code: String?, environment: [String: String]) -> [DotEnv] {
        let beside = config.contains("/") ? config.parentFolder + "/" : ""
        var folders = [(path: paths.folder, shown: beside)]
        for folder in [code, repository(around: paths.folder, home: paths.home)].compactMap({ $0 })
        where !folders.contains(where: {
            FileIdentity($0.path, followsLink: true) == FileIdentity(folder, followsLink: true)
        }) {
            folders.append((folder, folder + "/"))
        }
        return folders.flatMap { folder in
            names.map { DotEnv(path: "\(folder.path)/\($0)", name: folder.shown + $0, environment: environment) }
        }
    }

    /// The folder of the repository that `folder` is in; nil if there is none. A home under version control is no
    /// project.
    private static func repository(around folder: String, home: String?) -> String? {
        var folder = folder
        while folder != home, folder != "/" {
            if File.status("\(folder)/.git") != nil { return folder }
            folder = folder.parentFolder
        }
        return nil
    }
}
