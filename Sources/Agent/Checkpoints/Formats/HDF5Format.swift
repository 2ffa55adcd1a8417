internal import Shared

/// HDF5, as Keras writes `.h5`. Its superblock gives the offset of the file's end.
enum HDF5Format {
    static let mark: [UInt8] = [0x89] + Array("HDF\r\n".utf8) + [0x1a, 0x0a]

    /// Throws `Damage` if the file is shorter than its superblock says.
    static func check(_ file: InputFile) throws {
        let head = try file.head(52)
        guard head.count == 52 else {
            throw Damage("ends after \(file.size) bytes in the middle of its HDF5 superblock")
        }
        // The specification's versions 0 to 3 differ in the place of the field. Its length is almost always 8 bytes.
        let (widthPlace, place) =
            switch head[8] {
            case 0: (13, 40)
            case 1: (13, 44)
            case 2, 3: (9, 28)
            default: throw Unchecked()
            }
        guard head[widthPlace] == 8 else { throw Unchecked() }
        let end = head[place..<place + 8].littleEndian
        if end > UInt64(file.size) { throw Damage("has \(file.size) bytes, and its superblock says \(end)") }
    }
}
