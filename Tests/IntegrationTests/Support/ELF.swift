import Shared

/// The program headers of a 64-bit little-endian ELF file, elf(5).
struct ELF {
    /// PT_LOAD is 1, PT_DYNAMIC 2, PT_INTERP 3.
    let segmentTypes: [Int]

    /// nil if the bytes are not such a file.
    init?(_ bytes: [UInt8]) {
        guard bytes.count > 64, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else { return nil }
        func number(at offset: Int, bytes count: Int) -> Int {
            (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        let table = number(at: 32, bytes: 8)
        let size = number(at: 54, bytes: 2)
        let count = number(at: 56, bytes: 2)
        guard table + size * count <= bytes.count else { return nil }
        segmentTypes = (0..<count).map { number(at: table + $0 * size, bytes: 4) }
    }
}
