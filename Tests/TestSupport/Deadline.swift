/// The event for which a test waited did not come in time.
public struct TooLate: Error, CustomStringConvertible {
    public let description: String
}

/// Returns the value of `body`. Throws `TooLate` after `timeout`; the body is then left behind, even if it never ends.
public func within<Value: Sendable>(
    _ timeout: Duration, _ what: String = "", _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let (results, continuation) = AsyncStream.makeStream(of: Result<Value, any Error>.self)
    let work = Task {
        do { continuation.yield(.success(try await body())) } catch { continuation.yield(.failure(error)) }
    }
    let timer = Task {
        try await Task.sleep(for: timeout)
        continuation.yield(.failure(TooLate(description: "not within \(timeout): \(what)")))
    }
    defer {
        timer.cancel()
        work.cancel()
    }
    for await result in results { return try result.get() }
    throw CancellationError()
}
