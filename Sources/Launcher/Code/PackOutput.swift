internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A pack in the making: a file beside its place, hashed on the way. Not put in place, it is removed.
final class PackOutput {
    static let asidePrefix = ".pack-"

    private let aside: String
    private let file: Int32
    private var hasher: SHA256Hasher? = SHA256Hasher()
    private var buffer: [UInt8] = []
    private var size = 0

    private static let bufferSize = 256 << 10

    init(in packs: String) throws(Problem) {
        aside = "\(packs)/\(Self.asidePrefix)\([UInt8].random(count: 8).hexadecimal)"
        file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        if file < 0 { throw Problem("create \"\(aside)\"", errno: errno) }
    }

    deinit {
        close(file)
        unlink(aside)  // gone when it was put in place
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Problem) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// After the last `write`, once.
    func finish() throws(Problem) -> PackedCode {
        try flush()
        let digest = hasher.take()?.finish()
        return PackedCode(sha256: digest?.description ?? "", size: size)
    }

    /// Durable at `path`. One of the same name and size is the same pack already.
    func put(at path: String) throws(Problem) {
        if let there = File.status(path), there.isFile, there.size == size { return }
        do {
            try Errno.check { fsync(file) }
            try Errno.check { rename(aside, path) }
        } catch {
            throw Problem("write \"\(path)\"", errno: error.code)
        }
        try File.syncFolder(of: path)
    }

    private func flush() throws(Problem) {
        hasher?.update(buffer)
        size += buffer.count
        do { try File.write(buffer[...], to: file) } catch { throw Problem("write \"\(aside)\"", errno: error.code) }
        buffer.removeAll(keepingCapacity: true)
    }
}
