internal import CZlib

/// Compresses one stream of bytes to the gzip format, RFC 1952.
///
/// It uses level 1. On 200 MB of a training's log that leaves 28 % at 165 MB/s; level 3 leaves 26 % at 100 MB/s.
public final class Deflater {
    private var stream = z_stream()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

    public init() throws(Problem) {
        guard czlib_deflate_init(&stream, Z_BEST_SPEED) == Z_OK else { throw Problem("no memory to compress with") }
    }

    deinit {
        deflateEnd(&stream)
        buffer.deallocate()
    }

    /// Compresses all of `bytes`. `deliver` takes the compressed bytes.
    public func add<Failure: Error>(
        _ bytes: UnsafeRawBufferPointer, deliver: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        stream.next_in = UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: UInt8.self)
        stream.avail_in = UInt32(bytes.count)
        try run(Z_NO_FLUSH, deliver)
    }

    /// Call once, after the last `add`.
    public func finish<Failure: Error>(deliver: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        try run(Z_FINISH, deliver)
    }

    private func run<Failure: Error>(
        _ flush: Int32, _ deliver: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        repeat {
            stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.avail_out = UInt32(buffer.count)
            deflate(&stream, flush)
            try deliver(UnsafeRawBufferPointer(rebasing: buffer[..<(buffer.count - Int(stream.avail_out))]))
            // zlib.h: the buffer is not full if nothing is left.
        } while stream.avail_out == 0
    }
}
