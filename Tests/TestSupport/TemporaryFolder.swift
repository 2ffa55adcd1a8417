import Foundation

/// A folder of its own for one test, removed when it is dropped.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init(_ name: String = "test") throws {
        path = NSTemporaryDirectory() + "\(name)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
