internal import FoundationEssentials
internal import Glibc
internal import Shared

/// Appends to the run's log: the training's bytes exactly as they came, and the agent's own lines.
///
/// Bytes wait in memory until the volume's thread has taken them. Where the volume refuses them they wait longer,
/// and when there is no room left they are counted and dropped: the training is never held up by a sick volume.
final class LogWriter: Sendable {
    /// Bytes that may wait for the volume.
    static let capacity = 8 << 20

    fileprivate struct Buffer {
        var waiting: [UInt8] = []
        /// A drain is queued or under way.
        var isDraining = false
        /// Bytes for which there was no room, since the volume took the last ones.
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

    /// How long the volume may take nothing at all before it counts as hung.
    static let patience: Duration = .seconds(5)

    private let buffer: Monitor<Buffer>
    private let volume: VolumeWriter
    private let file: Int32
    /// How far the log goes, and how far it is on stable storage.
    let progress: LogProgress

    /// Appends to the live segment at `path`, whose first byte is the log's byte `offset`. `beginsLine`: what comes before it ends a line.
    init(segment path: String, offset: Int, beginsLine: Bool = true, volume: VolumeWriter) throws(Problem) {
        buffer = Monitor(Buffer(endsLine: beginsLine))
        do {
            file = try Errno.check { open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
        } catch {
            throw Problem("open the log \"\(path)\"", errno: error.code)
        }
        self.volume = volume
        progress = LogProgress(start: offset)
    }

    /// Blocks the calling thread while a healthy volume is behind, so that what is in memory stays bounded.
    func append(_ bytes: ArraySlice<UInt8>) {
        while true {
            let mustDrain = buffer.wait(quiet: Self.patience) { buffer -> Bool? in
                if buffer.waiting.count + bytes.count > Self.capacity {
                    guard buffer.trouble != nil else { return nil }
                    buffer.dropped += bytes.count
                    return false
                }
                buffer.take(bytes)
                return buffer.startsDraining()
            }
            if let mustDrain { return mustDrain ? enqueueDrain() : () }
            buffer.update { if $0.trouble == nil { $0.trouble = .hung } }
        }
    }

    /// A line of the agent's own. It begins a line whatever the training printed last.
    func say(_ line: String) {
        let mustDrain = buffer.update { buffer in
            buffer.take(Array(((buffer.endsLine ? "" : "\n") + line + "\n").utf8)[...])
            return buffer.startsDraining()
        }
        if mustDrain { enqueueDrain() }
    }

    /// Returns when all that was appended before is on stable storage, or was not brought there within `patience`.
    func sync(within patience: Duration = .seconds(30)) async {
        let synced = Promise<Void>()
        volume.enqueue { [self] in
            // Where the volume refused the last write a retry is due, which may come after this process has left.
            drain(retries: buffer.read { $0.trouble == nil })
            syncFile()
            synced.keep(())
        }
        _ = await synced.value(within: patience)
    }

    /// Bytes that the volume has not taken yet.
    var waiting: Int { buffer.read(\.waiting.count) }

    private func enqueueDrain() {
        volume.enqueue { [self] in drain() }
    }

    /// On the volume's thread.
    ///
    /// One batch: what came meanwhile waits for the thread's next turn, after the beats and records that are due.
    private func drain(retries: Bool = true) {
        let bytes = buffer.update { buffer -> [UInt8] in
            defer { buffer.waiting = [] }
            return buffer.waiting
        }
        let (written, error) = write(bytes)
        progress.extend(by: written)
        if let error {
            keep(bytes[written...], after: error)
            return retries ? drainLater() : ()
        }
        reportRecovery()
        scheduleSync()
        if buffer.update({ !$0.stopsDraining() }) { enqueueDrain() }
    }

    private func write(_ bytes: [UInt8]) -> (written: Int, error: Errno?) {
        var written = 0
        while written < bytes.count {
            do {
                written += try Errno.check {
                    bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
                }
            } catch {
                return (written, error)
            }
        }
        return (written, nil)
    }

    private func keep(_ rest: ArraySlice<UInt8>, after error: Errno) {
        buffer.update { buffer in
            buffer.waiting = rest + buffer.waiting
            buffer.trouble = .refused(error)
        }
    }

    private func drainLater() {
        Task { [self] in
            try? await Task.sleep(for: .seconds(1))
            enqueueDrain()
        }
    }

    private func reportRecovery() {
        let report = buffer.update { buffer -> String? in
            defer {
                buffer.trouble = nil
                buffer.dropped = 0
            }
            guard let trouble = buffer.trouble, buffer.dropped > 0 else { return nil }
            return "LOG GAP: \(buffer.dropped) bytes could not be kept (\(trouble))"
        }
        if let report { say(report) }
    }

    private func scheduleSync() {
        guard progress.wantsSync() else { return }
        Task { [self] in
            try? await Task.sleep(for: .seconds(1))
            volume.enqueue { [self] in syncFile() }
        }
    }

    /// On the volume's thread.
    private func syncFile() {
        let end = progress.beginSync()
        if fdatasync(file) == 0 { progress.endSync(at: end) }
    }
}

extension LogWriter.Buffer {
    mutating func take(_ bytes: ArraySlice<UInt8>) {
        guard let last = bytes.last else { return }
        waiting += bytes
        endsLine = last == UInt8(ascii: "\n")
    }

    /// True where the caller is the one to queue the drain.
    mutating func startsDraining() -> Bool {
        defer { isDraining = true }
        return !isDraining
    }

    /// False where more came meanwhile.
    mutating func stopsDraining() -> Bool {
        isDraining = !waiting.isEmpty
        return !isDraining
    }
}
