internal import Glibc
internal import Shared

/// A thread of its own for calls that block, so that they take none from Swift's tasks.
enum DedicatedThread {
    /// Starts a detached thread that runs `body` once. Throws where the system has no more threads to give.
    static func start(_ body: @escaping @Sendable () -> Void) throws(Problem) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)  // bytes, of which only what is touched takes memory
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

    /// Runs `body` on a thread of its own and returns what it returns.
    ///
    /// The thread may be left behind: a call on a dead network volume never returns, and holds up nobody but this caller.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try start { continuation.resume(with: Swift.Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// As `run`, for `patience` at most: then it returns nil, and the thread is left behind.
    static func run<Result: Sendable>(
        within patience: Duration, _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result? {
        let result = Promise<Swift.Result<Result, any Error>>()
        try start { result.fulfil(Swift.Result { try body() }) }
        return try await result.value(within: patience)?.get()
    }

    /// From now on the calling thread gets the time that nobody else wants. Nothing else may run on it.
    ///
    /// Outside of containers the kernel may count it among the threads of this session alone, and give each session the same, sched(7),
    /// "The autogroup feature".
    static func yieldToOthers() {
        // Of this thread alone, setpriority(2). 19 is the least.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
