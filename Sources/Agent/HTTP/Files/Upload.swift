internal import Glibc
internal import NIOCore
internal import Shared

/// A part of an upload that goes to the staging file. Every call blocks.
///
/// No other upload writes the same target until this one is released or dropped. So a call that hangs on the volume
/// keeps the target.
final class Upload: Sendable {
    /// The folder of staging files, below the volume's root.
    static let folder = VolumePath(
        Volume(root: "").uploads.split(separator: "/").map { Array($0.utf8) })

    /// The age in seconds at which a staging file is removed. It counts from the last byte.
    private static let maxAge = 7 * 86_400

    let order: UploadOrder
    /// The staging file.
    let file: Descriptor
    /// Bytes of the staging file at the beginning of this part.
    let received: Int
    /// The file at the target if it has the right size.
    let existing: Descriptor?
    /// Whether an upload of these bytes put it there.
    let wasPlaced: Bool

    private let staging: ConfinedFolder.Place
    private let parent: ConfinedFolder.Place
    private let name: [UInt8]
    private let target: VolumePath
    private let targets: UploadTargets
    private let claim: UploadTargets.Claim

    /// Makes the missing folders. Throws `UploadTargets.Busy` if another upload writes the target.
    ///
    /// `refusing` returns true for a path that the client must not write. The error is then `.forbidden`.
    init(
        _ order: UploadOrder, in volume: ConfinedFolder, targets: UploadTargets,
        refusing: @escaping (VolumePath) -> Bool
    ) throws {
        guard let name = order.target.components.last else { throw APIError(.badRequest, "no file is named") }
        self.order = order
        self.name = name
        self.targets = targets
        let check = { (folder: VolumePath) throws(APIError) in
            let target = VolumePath(folder.components + [name])
            if refusing(target) { throw APIError(.forbidden, "\"\(target.text)\" is the agent's own") }
        }
        parent = try volume.openFolder(VolumePath(order.target.components.dropLast()), making: check)
        try check(parent.path)
        target = VolumePath(parent.path.components + [name])
        guard let claim = targets.claim(target) else { throw UploadTargets.Busy() }
        self.claim = claim
        staging = try volume.openFolder(Self.folder) { _ in }
        Self.removeOld(in: staging.descriptor, but: order.stagingName)
        file = try Self.open(order, in: staging.descriptor)
        received = try Self.size(of: file, for: order)
        existing = try Self.existing(name, in: parent.descriptor, for: order)
        if let tag = try? existing?.status.entityTag.text {
            wasPlaced = targets.hasPlaced(target, order.sha256, tag: tag)
        } else {
            wasPlaced = false
        }
    }

    private static func open(_ order: UploadOrder, in folder: Descriptor) throws -> Descriptor {
        do throws(Errno) {
            let file = try folder.open(order.stagingName, O_RDWR | O_CREAT)
            if try file.status.isFile { return file }
            throw Errno(EISDIR)
        } catch {
            throw APIError(error, order.target.text)
        }
    }

    /// Returns the size of the staging file. One that is longer than the whole file has other bytes and is emptied.
    private static func size(of file: Descriptor, for order: UploadOrder) throws(Errno) -> Int {
        let size = try file.status.size
        if size <= order.size { return size }
        try Errno.check { ftruncate(file.number, 0) }
        return 0
    }

    private static func existing(
        _ name: [UInt8], in folder: Descriptor, for order: UploadOrder
    ) throws -> Descriptor? {
        guard let status = try? File.status(of: name, in: folder.number) else { return nil }
        if status.isFolder { throw APIError(.conflict, "\"\(order.target.text)\" is a folder") }
        guard status.isFile, status.size == order.size else { return nil }
        return try? folder.open(name, O_RDONLY)
    }

    private static func removeOld(in folder: Descriptor, but name: [UInt8]) {
        guard let stream = try? FolderStream(folder) else { return }
        let now = time(nil)
        while let other = try? stream.next() {
            guard other != name, let status = try? File.status(of: other, in: stream.descriptor),
                now - status.modified / 1_000_000_000 > maxAge
            else { continue }
            unlinkat(stream.descriptor, other.cString, 0)
        }
    }

    // MARK: - Writing

    func write(_ bytes: ByteBuffer, at offset: Int) throws {
        try reporting { () throws(Errno) in
            var rest = bytes
            var offset = offset
            while rest.readableBytes > 0 {
                let count = try Errno.check {
                    rest.withUnsafeReadableBytes { pwrite(file.number, $0.baseAddress, $0.count, off_t(offset)) }
                }
                rest.moveReaderIndex(forwardBy: count)
                offset += count
            }
        }
    }

    func sync() throws { try reporting { () throws(Errno) in try Errno.check { fsync(file.number) } } }

    /// Puts the staging file in the target's place, in one step.
    func place() throws {
        try reporting { () throws(Errno) in
            try Errno.check {
                renameat(staging.descriptor.number, order.stagingName.cString, parent.descriptor.number, name.cString)
            }
            try Errno.check { fsync(parent.descriptor.number) }
            targets.place(target, order.sha256, tag: try file.status.entityTag.text)
        }
    }

    /// Removes the staging file.
    func discard() throws {
        try reporting { () throws(Errno) in
            try Errno.check(except: ENOENT) { unlinkat(staging.descriptor.number, order.stagingName.cString, 0) }
        }
    }

    /// Lets other uploads write the target. Call it only when no call of this one is left.
    func release() { claim.release() }

    private func reporting(_ body: () throws(Errno) -> Void) throws(APIError) {
        do { try body() } catch { throw APIError(error, order.target.text) }
    }
}
