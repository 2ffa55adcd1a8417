internal import Shared
internal import Synchronization

/// The SHA-256 of an open file, in steps. Each step is short on a volume that answers.
final class FileHash: Sendable {
    private static let stepSize = 16 << 20
    private static let pieceSize = 256 << 10

    private struct State: ~Copyable {
        var hasher = SHA256Hasher()
        var offset = 0
    }

    private let file: Descriptor
    private let state = Mutex(State())

    init(of file: Descriptor) { self.file = file }

    /// Hashes the next step and blocks. Returns the digest at the end of the file, else nil.
    func next() throws -> SHA256Digest? {
        try state.withLock { state in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 16)
            defer { buffer.deallocate() }
            let end = state.offset + Self.stepSize
            while state.offset < end {
                let count = try file.read(at: state.offset, into: buffer)
                if count == 0 { return Self.finish(&state) }
                state.hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                state.offset += count
            }
            return nil
        }
    }

    private static func finish(_ state: inout State) -> SHA256Digest {
        var hasher = SHA256Hasher()
        swap(&hasher, &state.hasher)
        return hasher.finish()
    }
}
