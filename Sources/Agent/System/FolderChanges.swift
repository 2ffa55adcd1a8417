internal import CLinux
internal import Glibc
internal import Shared
internal import Synchronization

/// Which entries of a folder changed, or anything below them, as the kernel tells it: inotify(7).
///
/// That is known on file systems that only this machine writes to, and up to a number of folders. Of what is written through mapped memory
/// nobody is told.
final class FolderChanges: Sendable {
    /// A folder, under whatever name.
    fileprivate struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t

        /// nil where nothing is at `path`.
        init?(at path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            (device, inode) = (status.st_dev, status.st_ino)
        }
    }

    fileprivate struct State {
        /// Owned; below 0 where nothing is watched.
        var queue: Int32 = -1
        /// What is watched, or cannot be.
        var folder: Identity?
        /// The entry that a watched folder belongs to, by its watch; nil: it is the folder itself.
        var entries: [Int32: String?] = [:]
    }

    let path: String
    private let concerns: @Sendable (String) -> Bool
    private let state = Mutex(State())

    /// `concerns` tells by the name which entries are watched.
    init(of path: String, concerns: @escaping @Sendable (String) -> Bool) {
        (self.path, self.concerns) = (path, concerns)
    }

    deinit { state.withLock { $0.end() } }

    /// Whether the file system at `path` tells of all its changes.
    static func areTold(at path: String) -> Bool { linux_tells_changes(path) != 0 }

    /// Begins to watch, unless it does already, or could not. May hang with the volume.
    func begin() {
        state.withLock { state in
            let folder = Identity(at: path)
            if state.folder == folder { return }
            state.end()
            guard let folder, Self.areTold(at: path) else { return }
            if !state.begin(at: path, concerns) { state.end() }
            state.folder = folder
        }
    }

    /// The names of the entries that came, went or changed since the last call; nil: any may have.
    func take() -> Set<String>? {
        state.withLock { state in
            guard state.queue >= 0 else { return nil }
            if Identity(at: path) == state.folder, let names = state.names(below: path, concerns) { return names }
            state.end()
            return nil
        }
    }
}

extension FolderChanges.State {
    private static let events = UInt32(IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_ATTRIB | IN_ONLYDIR)
    /// Folders that are watched at most: each keeps about a kilobyte of the kernel's memory, which counts as the container's.
    private static let most = 4096
    /// Below an entry no folders are nested deeper.
    private static let deepest = 64

    mutating func end() {
        if queue >= 0 { close(queue) }
        self = Self()
    }

    mutating func begin(at path: String, _ concerns: (String) -> Bool) -> Bool {
        queue = inotify_init1(O_NONBLOCK | O_CLOEXEC)
        guard queue >= 0, case let number = inotify_add_watch(queue, path, Self.events), number >= 0 else {
            return false
        }
        entries[number] = .some(nil)
        // Listed once it is watched, so that nothing that comes meanwhile is missed.
        guard let names = try? File.list(path) else { return false }
        return names.allSatisfy { !concerns($0) || watch("\(path)/\($0)", for: $0) }
    }

    /// All folders from `path` on. False where one cannot be watched.
    private mutating func watch(_ path: String, for entry: String, depth: Int = 0) -> Bool {
        var status = stat()
        // The folder above tells of what is gone since.
        guard lstat(path, &status) == 0 else { return errno == ENOENT }
        guard status.st_mode & S_IFMT == S_IFDIR else { return true }
        guard depth < Self.deepest, entries.count < Self.most else { return false }
        let number = inotify_add_watch(queue, path, Self.events | UInt32(IN_DONT_FOLLOW))
        guard number >= 0 else { return errno == ENOENT || errno == ENOTDIR }
        entries[number] = .some(entry)
        // One that is mounted here may be of another kind.
        guard FolderChanges.areTold(at: path), let names = try? File.list(path) else {
            return (try? File.isThere(path)) == false
        }
        return names.allSatisfy { watch("\(path)/\($0)", for: entry, depth: depth + 1) }
    }

    /// nil where not all was told.
    mutating func names(below path: String, _ concerns: (String) -> Bool) -> Set<String>? {
        var names: Set<String> = []
        // Those whose folders are others now.
        var renewed: Set<String> = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(queue, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN {
                return renewed.allSatisfy { watch("\(path)/\($0)", for: $0) } ? names : nil
            }
            guard count > 0 else { return nil }
            var rest = buffer[..<count]
            while let event = InotifyEvent(takenFrom: &rest) {
                if event.has(IN_Q_OVERFLOW) || event.has(IN_UNMOUNT) { return nil }
                guard let entry = entries[event.watch] else { continue }
                if event.has(IN_IGNORED) {
                    entries[event.watch] = nil
                    if entry == nil { return nil }
                }
                guard let name = entry ?? event.name, concerns(name) else { continue }
                names.insert(name)
                guard event.has(IN_ISDIR), event.has(IN_CREATE) || event.has(IN_MOVE) else { continue }
                renewed.insert(name)
                // What moved is watched as a part of what it belonged to.
                if event.has(IN_MOVED_FROM) { forget(name) }
            }
        }
    }

    private mutating func forget(_ name: String) {
        for (watch, entry) in entries where entry == name {
            inotify_rm_watch(queue, watch)
            entries[watch] = nil
        }
    }
}

/// One event of inotify(7), as read(2) gives it.
private struct InotifyEvent {
    let watch: Int32
    let mask: UInt32
    /// Of the entry in the watched folder; nil where it is about that folder.
    let name: String?

    /// Takes the first one off; nil where there is none any more.
    init?(takenFrom bytes: inout ArraySlice<UInt8>) {
        let head = MemoryLayout<inotify_event>.size
        guard bytes.count >= head else { return nil }
        let event = bytes.withUnsafeBytes { $0.loadUnaligned(as: inotify_event.self) }
        (watch, mask) = (event.wd, event.mask)
        let text = bytes.dropFirst(head).prefix(Int(event.len)).prefix { $0 != 0 }
        name = text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
        bytes = bytes.dropFirst(head + Int(event.len))
    }

    func has(_ flag: some BinaryInteger) -> Bool { mask & UInt32(flag) != 0 }
}
