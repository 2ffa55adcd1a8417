/// The value of `body`, or nil if it does not come within `timeout`.
///
/// Then, and when the caller's task is cancelled, `body` is cancelled and left behind: nothing waits for its end.
func withTimeout<Value: Sendable>(
    _ timeout: Duration, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    let result = Promise<Result<Value, any Error>>()
    let task = Task {
        do { result.fulfil(.success(try await body())) } catch { result.fulfil(.failure(error)) }
    }
    defer { task.cancel() }
    return try await withTaskCancellationHandler {
        try await result.value(within: timeout)?.get()
    } onCancel: {
        result.fulfil(.failure(CancellationError()))
    }
}
