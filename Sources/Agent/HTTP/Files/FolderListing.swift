internal import Shared
internal import Synchronization

/// A folder as lines of JSON, a `FolderEntry` each, in the order in which the volume has them.
final class FolderListing: FolderPieces {
    /// Entries of a piece at most: each costs a call on the volume.
    private static let pieceCount = 256

    private let stream: Mutex<FolderStream>

    init(_ folder: Descriptor) throws(Errno) { stream = Mutex(try FolderStream(folder)) }

    func next() throws -> [UInt8]? {
        try stream.withLock { stream in
            var lines: [UInt8] = []
            var count = 0
            while count < Self.pieceCount, let name = try stream.next() {
                count += 1
                // One that is gone since is none.
                guard let status = try? File.status(of: name, in: stream.descriptor) else { continue }
                let entry = FolderEntry(
                    name: name.text, kind: status.kind, size: status.size, modified: status.modified)
                lines += try JSON.encode(entry) + [UInt8(ascii: "\n")]
            }
            return lines.isEmpty ? nil : lines
        }
    }
}

extension FileStatus {
    var kind: FolderEntry.Kind { isFile ? .file : isFolder ? .folder : isLink ? .link : .other }
}
