/// A response that continues as long as new bytes may come.
enum FollowedResponse {
    /// The longest time of a response; the client then asks again. Proxies cut long responses, some at 100 s.
    static let limit: Duration = .seconds(60)

    /// Returns the value of `body`. Cancels `body` after `limit` and returns nil.
    static func run<Value: Sendable>(
        for limit: Duration = limit, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            let value = try await group.next() ?? nil
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
            return value
        }
    }
}
