internal import Glibc
internal import Shared

/// Standard output or standard error of the container, which the provider's log page shows. A write never blocks the
/// caller. If the container's runtime reads too slowly, bytes are left out and a line says how many.
final class ContainerOutput: Sendable {
    /// Bytes that may wait for the container's runtime.
    static let capacity = 256 << 10

    private struct State {
        var waiting: [UInt8] = []
        var isWriting = false
        /// Bytes that were left out and that no line has reported yet.
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

    /// Returns the output for a copy of the run's log. Returns nil if standard output is a regular file, as in a local
    /// pod: the disk has the log already.
    static func forLog(file: Int32 = STDOUT_FILENO) -> ContainerOutput? {
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return nil }
        return ContainerOutput(file: file)
    }

    /// Returns nil if no thread can be started. The caller keeps ownership of `file`.
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

    /// Appends a line of the agent. It begins on a new line.
    func say(_ line: String) {
        state.update { $0.add(Array((($0.endsLine ? "" : "\n") + line + "\n").utf8)[...]) }
    }

    /// Returns when all waiting bytes are written, or after `timeout`.
    func flush(within timeout: Duration) async {
        let start = ContinuousClock.now
        while state.read({ $0.isWriting || !$0.waiting.isEmpty }) && start.duration(to: .now) < timeout {
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
            // The reader may be gone, which must not affect the run.
            try? File.write(bytes[...], to: file)
            state.update { $0.isWriting = false }
        }
    }
}
