internal import NIOCore
internal import Shared
internal import Synchronization

/// The pieces of the log that were read last, for all who read it: one that many want at once is read once, and all of them hold the
/// same memory.
///
/// A volume that hangs holds up a few threads, and those who wait for its bytes until they are cancelled.
final class LogPieces: Sendable {
    /// Bytes of a piece at most.
    static let size = 128 << 10
    /// Pieces that are kept for the next one who asks.
    fileprivate static let kept = 8

    fileprivate struct Piece {
        let range: Range<Int>
        let bytes: Promise<Result<ByteBuffer, any Error>>
    }

    /// For whatever a response has to ask the volume.
    let threads = ThreadPool(limit: 4)
    /// The one that was asked for last is last.
    private let pieces = Mutex<[Piece]>([])

    /// The bytes from `offset` on, one at least and none at or beyond `end`. `load` reads all bytes of a range, and may block.
    func read(
        at offset: Int, before end: Int, load: @escaping @Sendable (Range<Int>) throws -> ByteBuffer
    ) async throws -> ByteBuffer {
        let (piece, isNew) = pieces.withLock { $0.piece(at: offset, before: end) }
        if isNew {
            do {
                try threads.run { [self] in settle(piece, Result { try load(piece.range) }) }
            } catch {
                settle(piece, .failure(error))
            }
        }
        var bytes = try await piece.bytes.valueUnlessCancelled.get()
        bytes.moveReaderIndex(forwardBy: offset - piece.range.lowerBound)
        return bytes.readSlice(length: min(bytes.readableBytes, end - offset)) ?? bytes
    }

    private func settle(_ piece: Piece, _ bytes: Result<ByteBuffer, any Error>) {
        // What failed is tried again by the next one who asks.
        if case .failure = bytes { pieces.withLock { $0.removeAll { $0.bytes === piece.bytes } } }
        piece.bytes.fulfil(bytes)
    }
}

extension [LogPieces.Piece] {
    /// The piece that has the byte at `offset`, and whether it is a new one, for the caller to load.
    fileprivate mutating func piece(at offset: Int, before end: Int) -> (LogPieces.Piece, isNew: Bool) {
        if let index = lastIndex(where: { $0.range.contains(offset) }) {
            let piece = remove(at: index)
            append(piece)
            return (piece, false)
        }
        // They end at the same bytes for everyone, so that readers who began at different ones meet.
        let boundary = (offset / LogPieces.size + 1) * LogPieces.size
        let piece = LogPieces.Piece(range: offset..<Swift.min(end, boundary), bytes: Promise())
        if count == LogPieces.kept { removeFirst() }
        append(piece)
        return (piece, true)
    }
}
