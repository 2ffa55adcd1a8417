import Glibc
import Shared
import TestSupport
import Testing

/// A small ext4 file system in a file, mounted in a site. The test that makes it unmounts it.
struct LoopDisk {
    private let image: String
    let mountPoint: String

    static let isAvailable =
        getuid() == 0 && (try? run(["xfs_io", "-V"])) != nil && (try? run(["losetup", "-f"])) != nil
    static let reason: Comment = "loop devices need root, and xfs_io has to be there"

    init(at site: Site, megabytes: Int = 32) throws {
        image = "\(site.root)/disk.img"
        mountPoint = "\(site.root)/disk"
        try File.makeFolders(mountPoint)
        try Self.run(["truncate", "-s", "\(megabytes)M", image])
        try Self.run(["mkfs.ext4", "-q", "-m0", image])
        try mount(image)
    }

    private func mount(_ image: String) throws { try Self.run(["mount", "-o", "loop", image, mountPoint]) }

    // MARK: Power

    /// Makes every call fail from now on. Nothing more reaches the disk.
    func cutPower() throws { try Self.run(["xfs_io", "-x", "-c", "shutdown", mountPoint]) }

    /// Mounts a copy of what reached the disk. The disk itself may still be mounted in another mount namespace.
    func mountAgain() throws {
        try Self.run(["umount", mountPoint])
        try Self.run(["cp", "--sparse=always", image, image + ".after"])
        try mount(image + ".after")
    }

    /// Mounts the unmounted disk again, of which a process may still have a file open.
    func mountTheSame() throws { try mount(image) }

    func unmount() { _ = try? Command.run(["umount", "--lazy", mountPoint]) }

    // MARK: Space

    private var filling: String { "\(mountPoint)/filling" }

    /// Fills the disk to its last block. Some blocks become free only when the journal is written, so two tries after
    /// that must find none.
    func fill() throws {
        var size = "1M"
        var empty = 0
        for _ in 0..<30 where empty < 2 {
            try Self.run(["sync", "-f", mountPoint])
            let (code, output) = try Command.run([
                "dd", "if=/dev/zero", "of=\(filling)", "bs=\(size)", "oflag=append,sync", "conv=notrunc",
            ])
            guard code == 1, output.text.contains("No space left on device") else {
                throw Problem("the disk is not full: \(output.text)")
            }
            empty = output.text.contains("\n0 bytes ") ? empty + 1 : 0
            size = "1k"
        }
        if empty < 2 { throw Problem("the disk does not get full") }
    }

    func free() throws { try File.remove(filling) }

    static func run(_ words: [String]) throws {
        let (code, output) = try Command.run(words)
        if code != 0 { throw Problem("\(words.joined(separator: " ")): \(code), \(output.text)") }
    }
}
