import Shared
import TestSupport

@testable import Agent

/// A copy of one of the checkpoints in Tests/Fixtures, which real libraries saved, for a test to damage.
final class SavedCheckpoint: Sendable {
    /// The folders of the fixtures.
    static let kinds = ["arrays", "distributed", "sharded", "single", "trainer"]
    private static let fixtures = "\(#filePath)".parentFolder.parentFolder.parentFolder + "/Fixtures/checkpoints"

    private let folder: TemporaryFolder
    let path: String

    init(_ kind: String) throws {
        folder = try TemporaryFolder("checkpoint")
        path = "\(folder.path)/checkpoint-10"
        try File.makeFolders(path)
        for name in try File.list("\(Self.fixtures)/\(kind)") { try write(name, Self.content("\(kind)/\(name)")) }
    }

    /// A checkpoint with a single file.
    init(file name: String, _ bytes: [UInt8]) throws {
        folder = try TemporaryFolder("checkpoint")
        path = "\(folder.path)/checkpoint-10"
        try File.makeFolders(path)
        try write(name, bytes)
    }

    /// Every file of the fixtures, as `kind/name`.
    static func files() throws -> [String] {
        try kinds.flatMap { kind in try File.list("\(fixtures)/\(kind)").map { "\(kind)/\($0)" } }
    }

    static func content(_ file: String) throws -> [UInt8] { try File.read("\(fixtures)/\(file)") }

    func write(_ name: String, _ bytes: [UInt8]) throws { try File.write(bytes, over: "\(path)/\(name)") }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    func remove(_ name: String) throws { try File.remove("\(path)/\(name)") }

    func examine() throws -> CheckpointProof { try CheckpointProof.examine(path) }

    /// The findings except remarks, as text.
    func faults() throws -> [String] {
        try examine().findings.filter { $0.weight != .remark }.map(\.description)
    }
}
