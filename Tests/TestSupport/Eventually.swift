public enum WaitError: Error {
    case gaveUp(String)
}

/// Returns as soon as `condition` gives a value; throws when it gives none for `patience`.
@discardableResult
public func eventually<Value>(
    _ what: String = "the condition", within patience: Duration = .seconds(20), _ condition: () throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + patience
    while true {
        if let value = try condition() { return value }
        guard ContinuousClock.now < deadline else { throw WaitError.gaveUp(what) }
        try await Task.sleep(for: .milliseconds(2))
    }
}
