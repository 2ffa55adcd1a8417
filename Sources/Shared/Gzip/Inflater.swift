internal import CZlib

/// Decompresses a gzip file from begin to end, RFC 1952. Several members form one stream.
final class Inflater {
    private var stream = z_stream()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    /// The unread part of `buffer`.
    private var rest = 0..<0
    /// Whether the position is between two members.
    private var isBetween = true

    init() throws(Problem) {
        guard czlib_inflate_init(&stream) == Z_OK else { throw Problem("no memory to decompress with") }
    }

    deinit {
        inflateEnd(&stream)
        buffer.deallocate()
    }

    /// Fills `output` and returns the number of bytes; 0 at the end. `more` reads the next compressed bytes, 0 at the
    /// end.
    ///
    /// Throws `Errno` EIO if the data is damaged or cut off.
    func read(
        into output: UnsafeMutableRawBufferPointer, more: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(output.count)
        while stream.avail_out > 0 {
            if rest.isEmpty {
                rest = 0..<(try more(buffer))
                if rest.isEmpty {
                    if isBetween { break }
                    throw Errno.damaged
                }
            }
            isBetween = false
            stream.next_in = buffer.baseAddress?.advanced(by: rest.lowerBound).assumingMemoryBound(to: UInt8.self)
            stream.avail_in = UInt32(rest.count)
            let result = inflate(&stream, Z_NO_FLUSH)
            rest = rest.upperBound - Int(stream.avail_in)..<rest.upperBound
            switch result {
            case Z_OK: break
            case Z_STREAM_END:
                isBetween = true
                inflateReset(&stream)
            default: throw Errno.damaged
            }
        }
        return output.count - Int(stream.avail_out)
    }
}
