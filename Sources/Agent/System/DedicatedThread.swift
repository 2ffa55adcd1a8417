internal import Glibc
internal import Shared

/// Runs blocking calls on threads of their own, so that they take no thread from Swift's tasks.
enum DedicatedThread {
    /// Starts a detached thread that runs `body` once. Throws if the system can start no more threads.
    static func start(_ body: @escaping @Sendable () -> Void) throws(Problem) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)  // bytes; only pages in use take memory
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        let error = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        guard error == 0 else {
            box.release()
            throw Problem("start a thread", errno: error)
        }
    }

    /// Runs `body` on a thread of its own and returns its result.
    ///
    /// A call on a dead network volume never returns, and then neither does this one. Other tasks are not affected.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try start { continuation.resume(with: Swift.Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Like `run`, but returns nil after `timeout`. The thread is left behind then.
    static func run<Result: Sendable>(
        within timeout: Duration, _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result? {
        let result = Promise<Swift.Result<Result, any Error>>()
        try start { result.fulfil(Swift.Result { try body() }) }
        return try await result.value(within: timeout)?.get()
    }

    /// Sets this thread to the lowest priority (nice 19) for good. Call it only on a thread of your own.
    ///
    /// Outside of containers the priority may count only among the threads of this session, sched(7), "The autogroup
    /// feature".
    static func yieldToOthers() {
        // On Linux this sets the priority of the calling thread alone, setpriority(2).
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
