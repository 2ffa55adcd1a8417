internal import FoundationEssentials
internal import Shared
internal import Synchronization

/// The durable record of an attempt. Changes reach the volume in the order in which they were made.
final class Journal: Sendable {
    private struct State {
        var record: AttemptRecord
        var version = 0
        var durableVersion = 0
        var observer: (@Sendable (AttemptRecord) -> Void)?

        mutating func change(_ body: (inout AttemptRecord) -> Void) {
            body(&record)
            version += 1
            observer?(record)
        }
    }

    private let state: Mutex<State>
    private let path: String
    private let reserve: String
    private let volume: VolumeWriter

    init(_ record: AttemptRecord, run: RunFolder, volume: VolumeWriter) {
        state = Mutex(State(record: record))
        path = run.recordPath(record.number)
        reserve = run.reservePath(record.number)
        self.volume = volume
    }

    var current: AttemptRecord { state.withLock(\.record) }

    /// Calls `observer` with the record now, and then after each change in order. It must neither block nor call the
    /// journal.
    func observe(_ observer: @escaping @Sendable (AttemptRecord) -> Void) {
        state.withLock { state in
            observer(state.record)
            state.observer = observer
        }
    }

    /// Changes the record in memory only. The next `change` takes it to the volume.
    func note(_ body: (inout AttemptRecord) -> Void) {
        state.withLock { $0.change(body) }
    }

    /// Changes the record and queues it for the volume.
    func change(_ body: (inout AttemptRecord) -> Void) {
        state.withLock { $0.change(body) }
        volume.enqueue { [self] in
            do { try write() } catch { Console.complain(error) }
        }
    }

    /// Returns true when all changes so far are on stable storage. Returns false if the volume refused them for
    /// `timeout` or hung, or if the run has another owner.
    func durable(within timeout: Duration) async -> Bool {
        let isDurable = Promise<Bool>()
        let attempts = Task {
            while !Task.isCancelled {
                do {
                    let isWritten = try await volume.perform { [self] in try write() } != nil
                    return isDurable.fulfil(isWritten)
                } catch {
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
        defer { attempts.cancel() }
        return await isDurable.value(within: timeout) ?? false
    }

    /// Must run on the volume's thread.
    private func write() throws {
        let (record, version, isDurable) = state.withLock { ($0.record, $0.version, $0.durableVersion == $0.version) }
        if isDurable { return }
        let bytes = try JSON.encode(record, pretty: true)
        do {
            try File.replace(path, with: bytes)
        } catch {
            // The volume is full: the reserve makes room.
            try File.remove(reserve)
            try File.replace(path, with: bytes)
        }
        state.withLock { $0.durableVersion = version }
    }
}
