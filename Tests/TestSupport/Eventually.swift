public import Testing

/// A condition that did not become true in time.
public struct TimedOut: Error, CustomStringConvertible {
    public let description: String
}

/// Evaluates `condition` again and again until it has a value, and returns that. Fails the test after `timeout`.
///
/// Tests use this instead of a sleep: they continue as soon as they can, and otherwise report what they waited for.
@discardableResult
public func eventually<Value>(
    _ what: @autoclosure () -> String = "the condition", within timeout: Duration = .seconds(30),
    every interval: Duration = .milliseconds(5),
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Value?
) async throws -> Value {
    let start = ContinuousClock.now
    while true {
        if let value = try await condition() { return value }
        if start.duration(to: .now) > timeout {
            let error = TimedOut(description: "not within \(timeout): \(what())")
            Issue.record(error, sourceLocation: sourceLocation)
            throw error
        }
        try await Task.sleep(for: interval)
    }
}

/// Like `eventually`, for a condition that is true or false.
public func eventuallyTrue(
    _ what: @autoclosure () -> String = "the condition", within timeout: Duration = .seconds(30),
    every interval: Duration = .milliseconds(5),
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    try await eventually(what(), within: timeout, every: interval, sourceLocation: sourceLocation) {
        try await condition() ? () : nil
    }
}

/// A false Bool would be a value, so `eventually` would return at once. This overload makes such a call an error.
@available(*, deprecated, message: "use eventuallyTrue")
public func eventually(
    _ what: @autoclosure () -> String = "the condition", within timeout: Duration = .seconds(30),
    every interval: Duration = .milliseconds(5),
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    try await eventuallyTrue(what(), within: timeout, every: interval, sourceLocation: sourceLocation, condition)
}
