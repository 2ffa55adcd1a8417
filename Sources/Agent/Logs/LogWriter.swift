internal import FoundationEssentials
internal import Glibc
internal import Shared
internal import Synchronization

/// Appends to the run's log: the training's bytes exactly as they came, and the agent's own lines.
///
/// Bytes wait in memory until the volume's thread has written them, also while the volume refuses them. When the memory
/// is full, further bytes are counted and dropped. So a failing volume does not stop the training.
final class LogWriter: Sendable {
    fileprivate struct Buffer {
        let queue = LogQueue()
        /// Bytes that the volume has taken.
        var written = 0
        /// A job that writes waiting bytes to the volume is queued or running.
        var isDraining = false
        /// How many bytes were dropped since the volume last took some. While this is not 0, all further bytes are
        /// dropped too: so the gap is in one place, and the `LOG GAP` line stands there.
        var dropped = 0
        /// Why the volume takes nothing at present.
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

    /// The volume counts as hung if it takes nothing for this time while the memory is full. Bytes are dropped then.
    ///
    /// A disk under load may stop for a second or two, and no byte must be dropped for that. A hung volume is not
    /// waited for again until it answers. So each hang stops the training for no longer than this time, and only if the
    /// training prints more than 9 MB meanwhile (the memory and the pipe).
    static let timeout: Duration = .seconds(5)

    /// The most bytes written at a time, because heartbeats and records wait for the same thread.
    private static let maxTurn = 1 << 20

    private let buffer: Monitor<Buffer>
    private let live: Mutex<LiveLog>
    private let volume: VolumeWriter
    private let syncing: LogSync
    private let sealer: LogSealer
    private let current: CurrentLog?
    private let console: ContainerOutput?
    private let observer = Mutex<(@Sendable (LogLine) -> Void)?>(nil)
    /// The end of the log, and how much of it is on stable storage.
    let progress: LogProgress

    /// Begins the live segment of `claim`, and seals earlier segments in the background. `beginsLine`: the log before
    /// it ends with a line break.
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

    /// Appends bytes of the training. Blocks while the memory is full and the volume is healthy.
    func append(_ bytes: ArraySlice<UInt8>) {
        console?.append(bytes)
        while true {
            let mustDrain = buffer.wait(while: \.written, staysFor: Self.timeout) { buffer -> Bool? in
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

    /// Appends a line of the agent. It begins on a new line whatever the training printed last.
    func say(_ line: LogLine) {
        observer.withLock { $0 }?(line)
        console?.say(line.text)
        if buffer.update({ $0.say(line) }) { enqueueDrain() }
    }

    /// Calls `observer` with each line of the agent from now on.
    func observe(_ observer: @escaping @Sendable (LogLine) -> Void) { self.observer.withLock { $0 = observer } }

    /// Returns when all bytes appended so far are on stable storage, or after `timeout`.
    func sync(within timeout: Duration = .seconds(30)) async {
        let start = ContinuousClock.now
        await syncOnce(within: timeout)
        // Bytes that the volume took but could not store are copied now. Only the copy shows which are lost, for the
        // LOG GAP line.
        while syncing.trouble != nil && start.duration(to: .now) < min(timeout, Self.timeout) && !volume.isFenced() {
            sealer.enqueue()
            try? await Task.sleep(for: .milliseconds(100))
            await syncOnce(within: timeout)
            if syncing.trouble == nil { await syncOnce(within: timeout) }
        }
    }

    private func syncOnce(within timeout: Duration) async {
        if volume.isFenced() { return }
        let synced = Promise<Void>()
        volume.enqueue { [self] in
            // If the volume refuses writes, a retry is scheduled already. It may come after this process has ended.
            drain(all: true, retries: buffer.read { $0.trouble == nil })
            volume.syncs.enqueue { [self] in
                syncSegments()
                synced.fulfil(())
            }
        }
        _ = await synced.value(within: timeout)
    }

    /// Bytes that the volume has not taken yet.
    var waiting: Int { buffer.read(\.queue.count) }

    /// Why the log is not completely on the volume; nil if it is.
    var trouble: String? {
        let (trouble, dropped) = buffer.read { ($0.trouble, $0.dropped) }
        if let trouble { return "\(trouble)" + (dropped > 0 ? ", \(dropped) bytes could not be kept" : "") }
        return syncing.trouble.map { "not on stable storage: \($0)" }
    }

    // MARK: - On the volume's thread

    private func enqueueDrain() {
        volume.enqueue { [self] in drain() }
    }

    /// Writes up to `maxTurn` bytes, or `all`. The rest waits, so that heartbeats and records come in between.
    private func drain(all: Bool = false, retries: Bool = true) {
        var turn = all ? max(Self.maxTurn, waiting) : Self.maxTurn
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
        // The sealer copies what could not be synced. A later sync then finds it durable.
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

    /// Appends a line of the agent, after a `LOG GAP` line if bytes were dropped. Returns true if the caller has to
    /// queue the drain. Uses the reserve, so that the log still says how the run ended.
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

    /// Notes that the volume took `count` bytes. It is healthy again, so that a `LOG GAP` line can be written.
    mutating func wrote(_ count: Int) {
        queue.removeFirst(count)
        written += count
        guard let trouble else { return }
        let line = gapLine(after: trouble)
        (self.trouble, dropped) = (nil, 0)
        if let line { _ = say(line) }
    }

    /// Returns true if no drain is queued. The caller then has to queue it.
    mutating func startsDraining() -> Bool {
        defer { isDraining = true }
        return !isDraining
    }

    /// Returns false if more bytes came meanwhile: the drain has to continue.
    mutating func stopsDraining() -> Bool {
        isDraining = queue.count > 0
        return !isDraining
    }
}
