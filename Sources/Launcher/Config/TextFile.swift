internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A small text file in UTF-8, without its byte order mark. Control characters are refused.
struct TextFile {
    /// In bytes. A larger file is refused before it is read.
    static let limit = 1 << 20

    let name: String
    let text: String

    /// `name` is the file's name in errors.
    init(path: String, name: String) throws(ConfigError) {
        try self.init(bytes: try Self.read(path, name: name), name: name)
    }

    init(bytes: [UInt8], name: String) throws(ConfigError) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]  // U+FEFF: some editors write it at the beginning
        let bytes = bytes.starts(with: mark) ? bytes[mark.count...] : bytes[...]
        try Self.checkCharacters(of: bytes, name: name)
        self.name = name
        self.text = bytes.text
    }

    /// Returns the content of a small regular file.
    static func read(_ path: String, name: String) throws(ConfigError) -> [UInt8] {
        do {
            // Without O_NONBLOCK, opening a pipe that has no writer blocks, and fstat is never reached.
            let file = try Errno.check { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
            defer { close(file) }
            var status = stat()
            try Errno.check { fstat(file, &status) }
            try check(status, name: name)
        } catch let error as ConfigError {
            throw error
        } catch {
            let isMissing = [Errno(ENOENT), Errno(ENOTDIR)].contains(error as? Errno)
            throw ConfigError(file: name, message: isMissing ? "no such file" : "could not be read: \(error)")
        }
        do {
            return try File.read(path, at: 0, limit: limit)
        } catch {
            throw ConfigError(file: name, message: error.sentence)
        }
    }

    private static func check(_ status: stat, name: String) throws(ConfigError) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw ConfigError(file: name, message: "is a folder", hint: "name the file in it")
        default: throw ConfigError(file: name, message: "is not a regular file")
        }
        guard status.st_size <= limit else {
            throw ConfigError(file: name, message: "is larger than 1 MB", hint: "is it the right file?")
        }
    }

    /// Checks for the characters that YAML 1.1 calls printable, section 5.1. libyaml refuses others with less detail.
    private static func checkCharacters(of bytes: ArraySlice<UInt8>, name: String) throws(ConfigError) {
        var line = 1
        var column = 1
        var rest = bytes
        while let byte = rest.first {
            if (0x20...0x7e).contains(byte) {  // printable ASCII, the usual case
                rest.removeFirst()
                column += 1
                continue
            }
            let place = Place(line: line, column: column)
            guard let (scalar, length) = rest.firstScalar else {
                let offset = rest.startIndex - bytes.startIndex
                throw ConfigError(
                    file: name, place: place, message: "not UTF-8: the byte at offset \(offset)",
                    hint: "save the file as UTF-8")
            }
            guard scalar.isPrintable else {
                throw ConfigError(
                    file: name, place: place, message: "a character that text cannot hold, \(scalar.code)",
                    hint: "remove it, or write it with an escape in double quotes")
            }
            rest.removeFirst(length)
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
    }
}

extension ArraySlice<UInt8> {
    /// nil if the bytes do not begin with valid UTF-8.
    fileprivate var firstScalar: (scalar: Unicode.Scalar, length: Int)? {
        var bytes = makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        guard case .valid(let encoded) = parser.parseScalar(from: &bytes) else { return nil }
        return (Unicode.UTF8.decode(encoded), encoded.count)
    }
}

extension Unicode.Scalar {
    var isPrintable: Bool {
        switch value {
        case 0x09, 0x0a, 0x0d, 0x20...0x7e, 0x85, 0xa0...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd, 0x1_0000...0x10_ffff:
            true
        default: false
        }
    }

    /// The code point in the form `U+001B`.
    fileprivate var code: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
