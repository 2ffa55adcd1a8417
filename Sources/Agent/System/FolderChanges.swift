internal import CLinux
internal import Glibc
internal import Shared
internal import Synchronization

/// Which entries of a folder changed, or anything below them, as the kernel tells it: inotify(7).
///
/// That is known on file systems that only this machine writes to, as far as a user may watch so many folders. Of what is written
/// through mapped memory nobody is told.
final class FolderChanges: Sendable {
    fileprivate struct State {
        /// Owned; below 0 where nothing is watched.
        var queue: Int32 = -1
        /// The number of the folder that the path led to.
        var folder: ino_t?
        /// The entry that a watched folder belongs to, by its watch; nil: it is the folder itself.
        var entries: [Int32: String?] = [:]
    }

    let path: String
    private let state = Mutex(State())

    init(of path: String) { self.path = path }

    deinit { state.withLock { $0.end() } }

    /// Begins to watch, where that failed before, or the path leads to another folder by now. May hang with the volume.
    func begin() {
        state.withLock { state in
            var status = stat()
            let isThere = stat(path, &status) == 0
            if state.queue >= 0 && isThere && state.folder == status.st_ino { return }
            state.end()
            if isThere && linux_tells_changes(path) != 0 { state.begin(at: path, status.st_ino) }
        }
    }

    /// The names of the entries that came, went or changed since the last call; nil: any may have.
    func take() -> Set<String>? {
        state.withLock { state in
            guard state.queue >= 0 else { return nil }
            let names = state.names(below: path)
            if names == nil { state.end() }
            return names
        }
    }
}

extension FolderChanges.State {
    private static let events = UInt32(IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_ATTRIB | IN_ONLYDIR)

    mutating func end() {
        if queue >= 0 { close(queue) }
        self = Self()
    }

    mutating func begin(at path: String, _ folder: ino_t) {
        queue = inotify_init1(O_NONBLOCK | O_CLOEXEC)
        self.folder = folder
        if queue >= 0 && !watch(path, for: nil) { end() }
    }

    /// Also what is below. A folder is listed once it is watched, so that nothing that comes meanwhile is missed.
    private mutating func watch(_ path: String, for entry: String?) -> Bool {
        let flags = entry == nil ? Self.events : Self.events | UInt32(IN_DONT_FOLLOW)
        let number = inotify_add_watch(queue, path, flags)
        // A file, or gone since: the folder above tells of both.
        guard number >= 0 else { return entry != nil && (errno == ENOTDIR || errno == ENOENT) }
        entries[number] = .some(entry)
        guard let names = try? File.list(path) else { return entry != nil && errno == ENOENT }
        return names.allSatisfy { watch("\(path)/\($0)", for: entry ?? $0) }
    }

    /// nil where not all was told.
    mutating func names(below path: String) -> Set<String>? {
        var names: Set<String> = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(queue, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return names }
            guard count > 0 else { return nil }
            var rest = buffer[..<count]
            while let event = InotifyEvent(takenFrom: &rest) {
                guard follow(event, below: path, into: &names) else { return nil }
            }
        }
    }

    private mutating func follow(_ event: InotifyEvent, below path: String, into names: inout Set<String>) -> Bool {
        if event.has(IN_Q_OVERFLOW) || event.has(IN_UNMOUNT) { return false }
        guard let entry = entries[event.watch] else { return true }
        if event.has(IN_IGNORED) {
            entries[event.watch] = nil
            return entry != nil
        }
        // The folder itself got other permissions.
        guard let name = entry ?? event.name else { return true }
        names.insert(name)
        guard event.has(IN_ISDIR) else { return true }
        if event.has(IN_MOVED_FROM) && entry == nil {
            for (watch, entry) in entries where entry == name {
                inotify_rm_watch(queue, watch)
                entries[watch] = nil
            }
        }
        return event.has(IN_CREATE) || event.has(IN_MOVED_TO) ? watch("\(path)/\(name)", for: name) : true
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
