internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Paths in a code folder that are not code: the run's checkpoints, and files that this program writes.
struct NotCode: Sendable {
    private(set) var checkpoints = CheckpointArea()
    /// The words for each folder or file that this program writes.
    private var written: [FileIdentity: String] = [:]

    /// All is code.
    init() {}

    /// `outputs` are the descriptors to which this program prints.
    init(checkpoints: CheckpointArea, volume: Volume, home: String, outputs: [Int32] = [STDOUT_FILENO, STDERR_FILENO]) {
        self.checkpoints = checkpoints
        // The code folder itself may be the volume or the home: then only their own parts are not code.
        let parts = [volume.root, "\(volume.root)/runs", "\(volume.root)/.pod-agent", volume.currentLog]
        for path in parts { add(FileIdentity(path, followsLink: path == volume.root), "the volume") }
        for path in [home, "\(home)/pods", "\(home)/locks", "\(home)/key", "\(home)/volume", "\(home)/runs"] {
            add(FileIdentity(path, followsLink: path == home), "the folder of launch")
        }
        for file in outputs { add(FileIdentity(ofFile: file), "the output of launch") }
    }

    private mutating func add(_ identity: FileIdentity?, _ words: String) {
        if let identity, written[identity] == nil { written[identity] = words }
    }

    /// Whether the file or folder at the relative path in `folder` is no code.
    func excludes(_ path: String, in folder: String) -> Bool {
        checkpoints.part(of: path) != nil || words(at: "\(folder)/\(path)") != nil
    }

    /// Returns the words for the file or folder at `path`, a link not followed; nil unless this program writes it.
    func words(at path: String) -> String? {
        if written.isEmpty { return nil }
        return FileIdentity(path).flatMap { written[$0] }
    }
}
