/// What a test waited for did not come in time.
public struct TooLate: Error, CustomStringConvertible {
    public let description: String
}

/// What `body` returns; `TooLate` where it takes longer than `patience`. The body is then left behind, whatever it waits for.
public func within<Value: Sendable>(
    _ patience: Duration, _ what: String = "", _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let (results, continuation) = AsyncStream.makeStream(of: Result<Value, any Error>.self)
    let work = Task {
        do { continuation.yield(.success(try await body())) } catch { continuation.yield(.failure(error)) }
    }
    let timer = Task {
        try await Task.sleep(for: patience)
        continuation.yield(.failure(TooLate(description: "not within \(patience): \(what)")))
    }
    defer {
        timer.cancel()
        work.cancel()
    }
    for await result in results { return try result.get() }
    throw CancellationError()
}

/// Returns as soon as `condition` holds; `TooLate` where it does not within `patience`.
public func eventually(
    within patience: Duration = .seconds(60), _ what: String = "", _ condition: () throws -> Bool
) async throws {
    let start = ContinuousClock.now
    while try !condition() {
        if start.duration(to: .now) > patience { throw TooLate(description: "not within \(patience): \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
