internal import Glibc
internal import Shared

/// One of the container's standard outputs, which the provider's log page shows. It never holds anybody up:
/// what the container's runtime does not take in time is left out, and said to be.
final class ContainerOutput: Sendable {
    /// Bytes that may wait for the container's runtime.
    static let capacity = 256 << 10

    private struct State {
        var waiting: [UInt8] = []
        var isWriting = false
        /// Bytes left out since the last ones that were taken.
        var dropped = 0
        var isOpen = true
        var endsLine = true

        mutating func add(_ bytes: ArraySlice<UInt8>) {
            guard let last = bytes.last else { return }
            if waiting.count + bytes.count > ContainerOutput.capacity {
                dropped += bytes.count
                return
            }
            if dropped > 0 {
                waiting += Array("\n(\(dropped) bytes are not shown here)\n".utf8)
                dropped = 0
            }
            waiting += bytes
            endsLine = last == UInt8(ascii: "\n")
        }
    }

    private let state = Monitor(State())

    /// For a copy of the log: nil where standard output is a regular file, as of a pod on this machine, whose disk has the log already.
    static func forLog(file: Int32 = STDOUT_FILENO) -> ContainerOutput? {
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return nil }
        return ContainerOutput(file: file)
    }

    /// nil where there is no thread for it. `file` stays the caller's.
    init?(file: Int32) {
        do {
            try DedicatedThread.start { [state] in Self.write(state, to: file) }
        } catch {
            return nil
        }
    }

    deinit { state.update { $0.isOpen = false } }

    func append(_ bytes: ArraySlice<UInt8>) {
        state.update { $0.add(bytes) }
    }

    /// A line of the agent's own.
    func say(_ line: String) {
        state.update { $0.add(Array((($0.endsLine ? "" : "\n") + line + "\n").utf8)[...]) }
    }

    /// Returns when all that waits was taken, or after `patience`.
    func flush(within patience: Duration) async {
        let start = ContinuousClock.now
        while state.read({ $0.isWriting || !$0.waiting.isEmpty }) && start.duration(to: .now) < patience {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    private static func write(_ state: Monitor<State>, to file: Int32) {
        while true {
            let bytes = state.wait { state -> [UInt8]? in
                guard !state.waiting.isEmpty else { return state.isOpen ? nil : [] }
                defer { state.waiting = [] }
                state.isWriting = true
                return state.waiting
            }
            if bytes.isEmpty { return }
            // Nobody may read it any more, which is no matter of the run.
            try? File.write(bytes[...], to: file)
            state.update { $0.isWriting = false }
        }
    }
}
