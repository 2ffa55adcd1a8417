import Foundation

/// A temporary folder for one test, removed when it is deinitialised.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init(_ name: String = "test") throws {
        path = NSTemporaryDirectory() + "\(name)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
