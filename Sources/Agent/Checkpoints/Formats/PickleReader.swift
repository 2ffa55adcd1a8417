internal import Shared

/// Walks over the operations of a pickle without carrying any out: where it ends, and the texts in it.
struct PickleReader: ~Copyable {
    private var bytes: ByteReader
    private static let longestText: UInt64 = 512  // bytes

    init(_ file: InputFile) { bytes = ByteReader(file) }

    var isAtEnd: Bool { bytes.position == bytes.end }

    /// Past one pickle. `see` gets each text that is not long. False where there is an operation that no pickle has.
    ///
    /// Throws `Damage` where the file ends before the pickle does.
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
                if isText && count <= Self.longestText {
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

    /// What follows an operation, pickletools.py.
    private enum Argument {
        case bytes(Int)
        /// A length of so many bytes, and what has that length.
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

/// Pickles that stand alone: `pickle.dump`, and what `torch.save` wrote before it wrote zip archives.
enum PickleFormat {
    /// With which `torch.save` began: a pickle of its magic number.
    static let oldTorchMark: [UInt8] = [
        0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, UInt8(ascii: "."),
    ]

    /// The mark of protocol 2 and later. Older ones have none, and cannot be told from anything else.
    static func isPickle(_ head: [UInt8]) -> Bool {
        head.count >= 2 && head[0] == 0x80 && (2...5).contains(head[1])
    }

    /// Some libraries put raw bytes between the operations, so that only the last byte can be held against the format.
    static func check(_ file: InputFile) throws {
        if try file.tail(1) != [UInt8(ascii: ".")] { throw Damage("is cut off: a pickle without its end") }
    }

    /// Five pickles are walked over; of the tensors' data behind them nothing is known without carrying them out.
    static func checkOldTorch(_ file: InputFile) throws {
        var pickles = PickleReader(file)
        for _ in 0..<5 where try !pickles.walk() { return }
    }
}
