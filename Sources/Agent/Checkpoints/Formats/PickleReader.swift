internal import Shared

/// Steps over the operations of a pickle without executing them, to find its end and the texts in it.
struct PickleReader: ~Copyable {
    private var bytes: ByteReader
    private static let maxTextBytes: UInt64 = 512

    init(_ file: InputFile) { bytes = ByteReader(file) }

    var isAtEnd: Bool { bytes.position == bytes.end }

    /// Steps over one pickle, and calls `see` with each text of up to `maxTextBytes`. Returns false at an unknown
    /// operation.
    ///
    /// Throws `Damage` if the file ends before the pickle does.
    mutating func walk(see: ([UInt8]) -> Void = { _ in }) throws -> Bool {
        while true {
            guard let code = try bytes.next() else { throw cutOff }
            if code == UInt8(ascii: ".") { return true }
            guard let argument = Argument(of: code) else { return false }
            switch argument {
            case .bytes(let count):
                guard try bytes.skip(UInt64(count)) else { throw cutOff }
            case .counted(let width, let isText):
                guard let count = try bytes.take(width)?.littleEndian else { throw cutOff }
                if isText && count <= Self.maxTextBytes {
                    guard let text = try bytes.take(Int(count)) else { throw cutOff }
                    see(text)
                } else if try !bytes.skip(count) {
                    throw cutOff
                }
            case .lines(let count):
                var line = BoundedText(limit: 0)
                for _ in 0..<count {
                    guard try bytes.scan(until: { $0 == UInt8(ascii: "\n") }, keeping: &line) else { throw cutOff }
                    _ = try bytes.next()
                }
            }
        }
    }

    private var cutOff: Damage { Damage("ends in the middle of its pickle") }

    /// The data after an operation code, as in pickletools.py.
    private enum Argument {
        case bytes(Int)
        /// A length field of so many bytes, and data of that length.
        case counted(Int, isText: Bool)
        case lines(Int)

        init?(of code: UInt8) {
            switch code {
            case UInt8(ascii: "U"), UInt8(ascii: "C"), 0x8a: self = .counted(1, isText: false)
            case 0x8c: self = .counted(1, isText: true)
            case UInt8(ascii: "X"): self = .counted(4, isText: true)
            case UInt8(ascii: "T"), UInt8(ascii: "B"), 0x8b: self = .counted(4, isText: false)
            case 0x8d: self = .counted(8, isText: true)
            case 0x8e, 0x96: self = .counted(8, isText: false)
            case UInt8(ascii: "K"), UInt8(ascii: "h"), UInt8(ascii: "q"), 0x80, 0x82: self = .bytes(1)
            case UInt8(ascii: "M"), 0x83: self = .bytes(2)
            case UInt8(ascii: "J"), UInt8(ascii: "j"), UInt8(ascii: "r"), 0x84: self = .bytes(4)
            case UInt8(ascii: "G"), 0x95: self = .bytes(8)
            case UInt8(ascii: "c"), UInt8(ascii: "i"): self = .lines(2)
            case _ where "FILSVPgp".utf8.contains(code): self = .lines(1)
            case _ where "(012NRQabd}]eltsuo)".utf8.contains(code): self = .bytes(0)
            case 0x81, 0x85...0x89, 0x8f...0x94, 0x97, 0x98: self = .bytes(0)
            default: return nil
            }
        }
    }
}

/// Files that are pickles: those of `pickle.dump`, and those of old versions of `torch.save`, before zip archives.
enum PickleFormat {
    /// The first bytes of an old `torch.save` file: a pickle of its magic number.
    static let oldTorchMark: [UInt8] = [
        0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, UInt8(ascii: "."),
    ]

    /// Whether `head` has the mark of protocol 2 to 5. Older protocols have no mark and cannot be recognised.
    static func isPickle(_ head: [UInt8]) -> Bool {
        head.count >= 2 && head[0] == 0x80 && (2...5).contains(head[1])
    }

    /// Whether `head` begins a pickle of protocol 4 or 5, whose second operation is a frame. A shorter mark in a file
    /// of unknown name may be an accident.
    static func isFramedPickle(_ head: [UInt8]) -> Bool {
        head.count >= 3 && head[0] == 0x80 && (4...5).contains(head[1]) && head[2] == 0x95
    }

    /// Checks only the last byte, because some libraries put raw bytes between the operations.
    static func check(_ file: InputFile) throws {
        if try file.tail(1) != [UInt8(ascii: ".")] { throw Damage("is cut off: a pickle without its end") }
    }

    /// Steps over the five pickles at the start. The size of the tensors' data after them is not known without
    /// executing them.
    static func checkOldTorch(_ file: InputFile) throws {
        var pickles = PickleReader(file)
        for _ in 0..<5 where try !pickles.walk() { return }
    }
}
