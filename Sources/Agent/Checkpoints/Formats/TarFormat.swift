internal import Shared

/// A tar archive, such as a `.nemo` file. It ends with two blocks of zeros.
enum TarFormat {
    private static let markPlace = 257
    private static let mark = Array("ustar".utf8)
    /// The offset after the mark.
    static let markEnd = markPlace + mark.count
    private static let blockSize = 512

    static func isTar(_ head: [UInt8]) -> Bool { head.dropFirst(markPlace).starts(with: mark) }

    /// Throws `Damage` if the file does not end as an archive does.
    static func check(_ file: InputFile) throws {
        let tail = try file.tail(2 * blockSize)
        guard file.size % blockSize == 0, tail.count == 2 * blockSize, tail.allSatisfy({ $0 == 0 }) else {
            throw Damage("is cut off: a tar archive without its end")
        }
    }
}
