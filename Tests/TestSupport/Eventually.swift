public import Testing

/// A condition that did not come true in time.
public struct TimedOut: Error, CustomStringConvertible {
    public let description: String
}

/// The value of `condition` once it has one: it is asked again and again until then, for `patience` at most.
///
/// This takes the place of every sleep: a test goes on as soon as it can, and one that cannot says what it waited for.
@discardableResult
public func eventually<Value>(
    _ what: @autoclosure () -> String = "the condition", within patience: Duration = .seconds(30),
    every interval: Duration = .milliseconds(5),
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Value?
) async throws -> Value {
    let start = ContinuousClock.now
    while true {
        if let value = try await condition() { return value }
        if start.duration(to: .now) > patience {
            let error = TimedOut(description: "not within \(patience): \(what())")
            Issue.record(error, sourceLocation: sourceLocation)
            throw error
        }
        try await Task.sleep(for: interval)
    }
}

/// As `eventually`, for a condition that is true or false.
public func eventuallyTrue(
    _ what: @autoclosure () -> String = "the condition", within patience: Duration = .seconds(30),
    every interval: Duration = .milliseconds(5),
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    try await eventually(what(), within: patience, every: interval, sourceLocation: sourceLocation) {
        try await condition() ? () : nil
    }
}
