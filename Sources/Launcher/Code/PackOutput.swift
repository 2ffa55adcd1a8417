internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A pack while it is written: a staging file beside its final place. Without `put` it is removed.
final class PackOutput {
    static let stagingPrefix = ".pack-"

    private let staging: String
    private let file: Int32
    private var hasher: SHA256Hasher? = SHA256Hasher()
    private var buffer: [UInt8] = []
    private var size = 0

    private static let bufferSize = 256 << 10

    init(in packs: String) throws(Problem) {
        staging = "\(packs)/\(Self.stagingPrefix)\([UInt8].random(count: 8).hexadecimal)"
        file = open(staging, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        if file < 0 { throw Problem("create \"\(staging)\"", errno: errno) }
    }

    deinit {
        close(file)
        unlink(staging)  // absent after `put`
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Problem) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Call once, after the last `write`.
    func finish() throws(Problem) -> PackedCode {
        try flush()
        let digest = hasher.take()?.finish()
        return PackedCode(sha256: digest?.description ?? "", size: size)
    }

    /// Syncs the pack and moves it to `path`. A file of the same size there is the same pack: it stays and gets the
    /// present time.
    func put(at path: String) throws(Problem) {
        if let there = File.status(path), there.isFile, there.size == size {
            // Agents remove packs with old times.
            utimes(path, nil)
            return
        }
        do {
            try Errno.check { fsync(file) }
            try Errno.check { rename(staging, path) }
        } catch {
            throw Problem("write \"\(path)\"", errno: error.code)
        }
        try File.syncFolder(of: path)
    }

    private func flush() throws(Problem) {
        hasher?.update(buffer)
        size += buffer.count
        do { try File.write(buffer[...], to: file) } catch { throw Problem("write \"\(staging)\"", errno: error.code) }
        buffer.removeAll(keepingCapacity: true)
    }
}
