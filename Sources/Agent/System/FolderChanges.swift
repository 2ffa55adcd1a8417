internal import Glibc
internal import Shared
internal import Synchronization

/// Reports which entries of a folder have changed, themselves or below, from the kernel's inotify(7).
///
/// Works only on file systems to which no other machine writes, and for at most 4096 folders. Writes through mmap are
/// not reported.
final class FolderChanges: Sendable {
    /// Identifies a folder whatever its path.
    fileprivate struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t

        /// Returns nil if nothing is at `path`.
        init?(at path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            (device, inode) = (status.st_dev, status.st_ino)
        }
    }

    struct Report: Sendable, Equatable {
        /// The entries that were added, removed or changed.
        var names: Set<String> = []
        /// For each entry that was renamed within the folder its name before.
        var renamed: [String: String] = [:]
    }

    fileprivate struct State {
        /// The inotify descriptor, owned; below 0 if nothing is watched.
        var queue: Int32 = -1
        /// The folder that is watched, or that could not be.
        var folder: Identity?
        /// For each inotify watch the entry to which its folder belongs; nil for the watched folder itself.
        var entries: [Int32: String?] = [:]
    }

    let path: String
    private let concerns: @Sendable (String) -> Bool
    private let state = Mutex(State())

    /// `concerns` returns whether the entry of that name is watched.
    init(of path: String, concerns: @escaping @Sendable (String) -> Bool) {
        (self.path, self.concerns) = (path, concerns)
    }

    deinit { state.withLock { $0.end() } }

    /// Whether the kernel reports all changes on the file system at `path`.
    static func areReported(at path: String) -> Bool { FileSystem.reportsChanges(at: path) }

    /// Begins to watch, unless this folder is watched already or could not be. May hang with the volume.
    func begin() {
        state.withLock { state in
            let folder = Identity(at: path)
            if state.folder == folder { return }
            state.end()
            guard let folder, Self.areReported(at: path) else { return }
            if !state.begin(at: path, concerns) { state.end() }
            state.folder = folder
        }
    }

    /// Returns the changes since the last call. Nil means that any entry may have changed.
    func take() -> Report? {
        state.withLock { state in
            guard state.queue >= 0 else { return nil }
            if Identity(at: path) == state.folder, let report = state.report(below: path, concerns) { return report }
            state.end()
            return nil
        }
    }
}

extension FolderChanges.State {
    private static let events = UInt32(IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_ATTRIB | IN_ONLYDIR)
    /// Each watched folder takes about a kilobyte of the kernel's memory, which counts as the container's.
    private static let maxFolders = 4096
    /// The largest depth of folders below an entry.
    private static let maxDepth = 64

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
        // List the folder after the watch began, so that no new entry is missed.
        guard let names = try? File.list(path) else { return false }
        return names.allSatisfy { !concerns($0) || watch("\(path)/\($0)", for: $0) }
    }

    /// Watches the folder at `path` and all folders below. Returns false if one cannot be watched.
    private mutating func watch(_ path: String, for entry: String, depth: Int = 0) -> Bool {
        var status = stat()
        // If it was deleted meanwhile, the watch of the folder above reports that.
        guard lstat(path, &status) == 0 else { return errno == ENOENT }
        guard status.st_mode & S_IFMT == S_IFDIR else { return true }
        guard depth < Self.maxDepth, entries.count < Self.maxFolders else { return false }
        let number = inotify_add_watch(queue, path, Self.events | UInt32(IN_DONT_FOLLOW))
        guard number >= 0 else { return errno == ENOENT || errno == ENOTDIR }
        entries[number] = .some(entry)
        // Another kind of file system may be mounted here.
        guard FolderChanges.areReported(at: path), let names = try? File.list(path) else {
            return (try? File.exists(path)) == false
        }
        return names.allSatisfy { watch("\(path)/\($0)", for: entry, depth: depth + 1) }
    }

    /// Returns the changes; nil if the kernel lost events or a folder can no longer be watched.
    mutating func report(below path: String, _ concerns: (String) -> Bool) -> FolderChanges.Report? {
        var report = FolderChanges.Report()
        // The old names of entries by the number that both events of a rename have.
        var moved: [UInt32: String] = [:]
        // The entries in which a folder was created or moved: their folders have to be watched again.
        var renewed: Set<String> = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(queue, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN {
                return renewed.allSatisfy { watch("\(path)/\($0)", for: $0) } ? report : nil
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
                if entry == nil, event.has(IN_MOVED_FROM) { moved[event.cookie] = event.name }
                guard let name = entry ?? event.name, concerns(name) else { continue }
                report.names.insert(name)
                if entry == nil, event.has(IN_MOVED_TO), let old = moved[event.cookie] { report.renamed[name] = old }
                guard event.has(IN_ISDIR), event.has(IN_CREATE) || event.has(IN_MOVE) else { continue }
                renewed.insert(name)
                // A moved folder would still be watched under its old entry.
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

/// One event of inotify(7), as read(2) returns it.
private struct InotifyEvent {
    let watch: Int32
    let mask: UInt32
    /// The same number in both events of one rename; 0 in other events.
    let cookie: UInt32
    /// The name of the entry in the watched folder; nil if the event is about the folder itself.
    let name: String?

    /// Removes the first event from `bytes`. Returns nil if there is none.
    init?(takenFrom bytes: inout ArraySlice<UInt8>) {
        let head = MemoryLayout<inotify_event>.size
        guard bytes.count >= head else { return nil }
        let event = bytes.withUnsafeBytes { $0.loadUnaligned(as: inotify_event.self) }
        (watch, mask, cookie) = (event.wd, event.mask, event.cookie)
        let text = bytes.dropFirst(head).prefix(Int(event.len)).prefix { $0 != 0 }
        name = text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
        bytes = bytes.dropFirst(head + Int(event.len))
    }

    func has(_ flag: some BinaryInteger) -> Bool { mask & UInt32(flag) != 0 }
}
