internal import NIOCore
internal import Shared
internal import Synchronization

/// The pieces of the log that were read last. Responses share them: a piece that many want is read once and held once.
///
/// A volume that hangs blocks a few threads, and the tasks that wait for its bytes until they are cancelled.
final class LogPieces: Sendable {
    /// The largest size of a piece in bytes.
    static let size = 128 << 10
    /// The number of pieces that are kept for later responses.
    fileprivate static let kept = 8

    fileprivate struct Piece {
        let range: Range<Int>
        let bytes: Promise<Result<ByteBuffer, any Error>>
    }

    /// The threads for all reads of responses.
    let threads = ThreadPool(limit: 4)
    /// In the order of their last use.
    private let pieces = Mutex<[Piece]>([])

    /// Returns the bytes from `offset` on, at least one, and none at or beyond `end`. `load` reads all bytes of a
    /// range, and may block.
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
        // The next response that asks for a failed piece tries again.
        if case .failure = bytes { pieces.withLock { $0.removeAll { $0.bytes === piece.bytes } } }
        piece.bytes.fulfil(bytes)
    }
}

extension [LogPieces.Piece] {
    /// Returns the piece that holds the byte at `offset`, and whether it is new. The caller loads a new one.
    fileprivate mutating func piece(at offset: Int, before end: Int) -> (LogPieces.Piece, isNew: Bool) {
        if let index = lastIndex(where: { $0.range.contains(offset) }) {
            let piece = remove(at: index)
            append(piece)
            return (piece, false)
        }
        // Pieces end at multiples of their size, so that responses that began at different bytes share them.
        let boundary = (offset / LogPieces.size + 1) * LogPieces.size
        let piece = LogPieces.Piece(range: offset..<Swift.min(end, boundary), bytes: Promise())
        if count == LogPieces.kept { removeFirst() }
        append(piece)
        return (piece, true)
    }
}
