internal import Shared

/// Runs the API's calls on the volume, on threads that are left behind if a call never returns.
final class VolumeAccess: Sendable {
    let folder: ConfinedFolder
    var volume: Volume { Volume(root: folder.root) }
    /// The timeout of a call.
    private let timeout: Duration
    private let threads = ThreadPool(limit: 8)

    init(root: String, timeout: Duration = .seconds(10)) {
        folder = ConfinedFolder(root: root)
        self.timeout = timeout
    }

    /// Returns the value of `body`, which may block. Throws `.unavailable` after `timeout`, or the usual timeout if it
    /// is nil.
    func run<Value: Sendable>(
        within timeout: Duration? = nil, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let value = try await withTimeout(timeout ?? self.timeout) { [threads] in try await threads.value(body) }
        guard let value else {
            throw APIError(.unavailable, "the volume does not answer", hint: "ask again in a minute")
        }
        return value
    }

    /// Returns `value` in a box that releases it on one of the threads.
    func hold<Value: Sendable>(_ value: Value) -> Held<Value> { Held(value, threads) }

    /// Releases its value on a thread that may be left behind: close(2) on a dead network volume never returns.
    final class Held<Value: Sendable>: Sendable {
        let value: Value
        private let threads: ThreadPool

        fileprivate init(_ value: Value, _ threads: ThreadPool) {
            self.value = value
            self.threads = threads
        }

        deinit {
            let value = value
            try? threads.run { withExtendedLifetime(value) {} }
        }
    }
}
