internal import Shared
internal import Synchronization

/// A folder as lines of JSON, each a `FolderEntry`, in the order of the volume.
final class FolderListing: FolderPieces {
    /// The largest number of entries of a piece. Each entry needs a call on the volume.
    private static let pieceCount = 256

    private let stream: Mutex<FolderStream>

    init(_ folder: Descriptor) throws(Errno) { stream = Mutex(try FolderStream(folder)) }

    func next() throws -> [UInt8]? {
        try stream.withLock { stream in
            var lines: [UInt8] = []
            var count = 0
            while count < Self.pieceCount, let name = try stream.next() {
                count += 1
                // An entry that was removed meanwhile is left out.
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
