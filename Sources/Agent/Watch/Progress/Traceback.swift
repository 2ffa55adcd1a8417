internal import Shared

/// Finds the lines of Python tracebacks, which show source code: `steps=30` there is no step.
struct Traceback: Sendable {
    private var isOpen = false

    /// Whether the next line of the output is part of a traceback.
    mutating func take(_ line: [UInt8]) -> Bool {
        if line.starts(with: "Traceback (most recent call last)".utf8) || line.starts(with: "  File \"".utf8) {
            isOpen = true
            return true
        }
        guard isOpen else { return false }
        // The line of the error ends it.
        isOpen = line.first == .space
        return true
    }
}
