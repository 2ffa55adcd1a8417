/// The description of one member of a tar archive. The bytes of a file follow it in the archive.
public struct TarEntry: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case file(size: Int, isExecutable: Bool)
        case folder
        case link(target: String)
    }

    /// A relative path. One `/` separates components, and none is at the end.
    public var path: String
    public var kind: Kind

    public init(_ path: String, _ kind: Kind) {
        self.path = path
        self.kind = kind
    }

    /// The size of its content in the archive, in bytes.
    public var size: Int {
        if case .file(let size, _) = kind { size } else { 0 }
    }
}

/// The positions of the fields in a header block of 512 bytes, POSIX.1-1988 (ustar).
enum TarBlock {
    static let size = 512

    static let name = 0..<100
    static let mode = 100..<108
    static let owner = 108..<116
    static let group = 116..<124
    static let length = 124..<136
    static let time = 136..<148
    static let checksum = 148..<156
    static let type = 156
    static let link = 157..<257
    static let magic = 257..<265
    static let prefix = 345..<500

    /// `ustar` and version `00`. GNU tar writes `ustar`, two spaces and a zero, and uses `prefix` in another way.
    static let posix: [UInt8] = Array("ustar\u{0}00".utf8)

    /// Returns the number of zeros after a content of `size` bytes, up to the next block.
    static func padding(after size: Int) -> Int { -size & (Self.size - 1) }

    /// Returns the sum of all bytes. The bytes of the checksum field count as spaces.
    static func sum(of block: [UInt8]) -> Int {
        block.indices.reduce(0) { $0 + (checksum.contains($1) ? 0x20 : Int(block[$1])) }
    }
}

/// The type flag of a header.
enum TarType {
    static let file = UInt8(ascii: "0")
    static let oldFile = UInt8(0)
    static let contiguousFile = UInt8(ascii: "7")
    static let hardLink = UInt8(ascii: "1")
    static let link = UInt8(ascii: "2")
    static let folder = UInt8(ascii: "5")
    /// Extended records for the next member, pax.
    static let extended = UInt8(ascii: "x")
    /// Extended records for all members that follow, pax. `git archive` writes its commit there.
    static let global = UInt8(ascii: "g")
    static let longName = UInt8(ascii: "L")
    static let longLink = UInt8(ascii: "K")
}
