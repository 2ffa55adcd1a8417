/// A response that goes on as long as something may come.
enum FollowedResponse {
    /// It ends after this time and is asked for again: proxies cut long ones, some at 100 s.
    static let limit: Duration = .seconds(60)

    /// What `body` returns; nil where it did not within `limit`: it is then cancelled.
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
