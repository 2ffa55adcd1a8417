internal import FoundationEssentials
internal import Glibc
internal import Shared
internal import Synchronization

/// Appends to the run's log: the training's bytes exactly as they came, and the agent's own lines.
///
/// Bytes wait in memory until the volume's thread has taken them. Where the volume refuses them they wait longer,
/// and when there is no room left they are counted and dropped: the training is never held up by a sick volume.
final class LogWriter: Sendable {
    fileprivate struct Buffer {
        let queue = LogQueue()
        /// Bytes that the volume has taken.
        var written = 0
        /// A drain is queued or under way.
        var isDraining = false
        /// Bytes for which there was no room, since the volume took the last ones. While there are any no other is taken:
        /// a gap is in one place, and the line that tells of it is there too.
        var dropped = 0
        /// Why the volume takes nothing at the moment.
        var trouble: Trouble?
        var endsLine: Bool
    }

    fileprivate enum Trouble: Sendable, CustomStringConvertible {
        case refused(Errno)
        case hung

        var description: String {
            switch self {
            case .refused(let error): "\(error)"
            case .hung: "the volume did not answer"
            }
        }
    }

    /// How long the volume may take nothing at all, with all memory in use, before it counts as hung and bytes are dropped.
    ///
    /// A disk under load stands still for a second or two, and then its bytes must not be lost. Once it counts as hung nothing
    /// waits for it any more until it has answered. So a hang costs a training that prints more than 9 MB (the memory and the
    /// pipe) meanwhile this time once, and any other one nothing.
    static let patience: Duration = .seconds(5)

    /// Bytes in a turn of the volume's thread, which the beats and records of the agent share.
    private static let turn = 1 << 20

    private let buffer: Monitor<Buffer>
    private let live: Mutex<LiveLog>
    private let volume: VolumeWriter
    private let syncing: LogSync
    private let sealer: LogSealer
    private let current: CurrentLog?
    private let console: ContainerOutput?
    /// How far the log goes, and how far it is on stable storage.
    let progress: LogProgress

    /// Begins the live segment of `claim`, and in the background seals what was left before it. `beginsLine`: what comes before it ends a line.
    init(
        _ claim: Claim, of run: RunFolder, rule: LogRule = LogRule(), beginsLine: Bool = true,
        current: CurrentLog? = nil, console: ContainerOutput? = nil, volume: VolumeWriter
    ) throws(Problem) {
        let live: LiveLog
        do throws(Errno) {
            live = try LiveLog(claim, of: run, limit: rule.segment, beginsLine: beginsLine)
        } catch {
            throw Problem("open the log in \"\(run.logs)\"", errno: error.code)
        }
        try File.syncFolder(of: live.segment.path)
        try current?.take(live.segment.path)
        buffer = Monitor(Buffer(endsLine: beginsLine))
        progress = LogProgress(start: claim.logStart)
        syncing = LogSync(live.segment, progress: progress)
        sealer = LogSealer(claim, of: run, keep: rule.keep, volume: volume) { [syncing] in syncing.copied($0, lost: $1)
        }
        self.live = Mutex(live)
        self.current = current
        self.console = console
        self.volume = volume
        sealer.enqueue()
    }

    /// Blocks the calling thread while a healthy volume is behind, so that what is in memory stays bounded.
    func append(_ bytes: ArraySlice<UInt8>) {
        console?.append(bytes)
        while true {
            let mustDrain = buffer.wait(while: \.written, staysFor: Self.patience) { buffer -> Bool? in
                if buffer.takes(bytes.count) {
                    buffer.take(bytes)
                    return buffer.startsDraining()
                }
                guard buffer.trouble != nil else { return nil }
                buffer.dropped += bytes.count
                return false
            }
            if let mustDrain { return mustDrain ? enqueueDrain() : () }
            buffer.update { if $0.trouble == nil { $0.trouble = .hung } }
        }
    }

    /// A line of the agent's own. It begins a line whatever the training printed last.
    func say(_ line: LogLine) {
        console?.say(line.text)
        if buffer.update({ $0.say(line) }) { enqueueDrain() }
    }

    /// Returns when all that was appended before is on stable storage, or was not brought there within `patience`.
    func sync(within patience: Duration = .seconds(30)) async {
        let start = ContinuousClock.now
        await syncOnce(within: patience)
        // What the volume took and could not store is copied; only then it is known what was lost, and can be told.
        while syncing.trouble != nil && start.duration(to: .now) < min(patience, Self.patience) && !volume.isFenced() {
            sealer.enqueue()
            try? await Task.sleep(for: .milliseconds(100))
            await syncOnce(within: patience)
            if syncing.trouble == nil { await syncOnce(within: patience) }
        }
    }

    private func syncOnce(within patience: Duration) async {
        if volume.isFenced() { return }
        let synced = Promise<Void>()
        volume.enqueue { [self] in
            // Where the volume refused the last write a retry is due, which may come after this process has left.
            drain(all: true, retries: buffer.read { $0.trouble == nil })
            volume.syncs.enqueue { [self] in
                syncSegments()
                synced.fulfil(())
            }
        }
        _ = await synced.value(within: patience)
    }

    /// Bytes that the volume has not taken yet.
    var waiting: Int { buffer.read(\.queue.count) }

    /// Why the log is not on the volume as it should be; nil where it is.
    var trouble: String? {
        let (trouble, dropped) = buffer.read { ($0.trouble, $0.dropped) }
        if let trouble { return "\(trouble)" + (dropped > 0 ? ", \(dropped) bytes could not be kept" : "") }
        return syncing.trouble.map { "not on stable storage: \($0)" }
    }

    // MARK: - On the volume's thread

    private func enqueueDrain() {
        volume.enqueue { [self] in drain() }
    }

    /// Not more than a turn, unless it is to be `all`: what comes next waits for the beats and records that are due.
    private func drain(all: Bool = false, retries: Bool = true) {
        var turn = all ? max(Self.turn, waiting) : Self.turn
        while turn > 0, let bytes = buffer.read(\.queue.first) {
            do throws(Errno) {
                let count = try live.withLock { (live) throws(Errno) in try live.write(bytes, began: began) }
                syncing.extend(by: count)
                buffer.update { $0.wrote(count) }
                progress.extend(by: count)
                turn -= count
            } catch {
                buffer.update { $0.trouble = .refused(error) }
                return retries ? drainLater() : ()
            }
        }
        scheduleSync()
        if buffer.update({ !$0.stopsDraining() }) { enqueueDrain() }
    }

    private func began(_ segment: LiveSegment) {
        syncing.begin(segment)
        sealer.begin(segment)
        current?.follow(segment.path)
    }

    private func drainLater() {
        Task { [self] in
            try? await Task.sleep(for: .seconds(1))
            enqueueDrain()
        }
    }

    // MARK: - On the thread of the syncs

    private func scheduleSync() {
        guard progress.end > progress.durable, progress.wantsSync() else { return }
        Task { [self] in
            try? await Task.sleep(for: .seconds(1))
            volume.syncs.enqueue { [self] in syncSegments() }
        }
    }

    private func syncSegments() {
        if volume.isFenced() { return }
        for lost in syncing.sync() {
            volume.enqueue { [self] in live.withLock { $0.spoil(lost, began: began) } }
        }
        for lost in syncing.takeLost() {
            say(.lost(lost))
        }
        // What could not be synced is copied, and then another sync finds it durable.
        if syncing.trouble != nil { scheduleSync() }
        buffer.update { $0.queue.trim() }
    }
}

extension LogWriter.Buffer {
    func takes(_ count: Int) -> Bool { dropped == 0 && queue.hasRoom(for: count) }

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        guard let last = bytes.last else { return }
        bytes.withUnsafeBytes { queue.append($0) }
        endsLine = last == UInt8(ascii: "\n")
    }

    /// True where the caller is the one to queue the drain. There is room for the agent's lines where there is none for the
    /// training's bytes, so that the log ends with how it ended. What was dropped before is told before.
    mutating func say(_ line: LogLine) -> Bool {
        let lines = [trouble.flatMap { gapLine(after: $0) }, line].compactMap { $0 }
        let bytes = Array(((endsLine ? "" : "\n") + lines.map { $0.text + "\n" }.joined()).utf8)
        guard queue.hasRoom(for: bytes.count, ofReserve: true) else {
            dropped += bytes.count
            return false
        }
        dropped = 0
        take(bytes[...])
        return startsDraining()
    }

    private func gapLine(after trouble: LogWriter.Trouble) -> LogLine? {
        dropped > 0 ? .dropped(bytes: dropped, reason: "\(trouble)") : nil
    }

    /// The volume took `count` bytes: it is well again, and what was lost can be told.
    mutating func wrote(_ count: Int) {
        queue.removeFirst(count)
        written += count
        guard let trouble else { return }
        let line = gapLine(after: trouble)
        (self.trouble, dropped) = (nil, 0)
        if let line { _ = say(line) }
    }

    /// True where the caller is the one to queue the drain.
    mutating func startsDraining() -> Bool {
        defer { isDraining = true }
        return !isDraining
    }

    /// False where more came meanwhile.
    mutating func stopsDraining() -> Bool {
        isDraining = queue.count > 0
        return !isDraining
    }
}
