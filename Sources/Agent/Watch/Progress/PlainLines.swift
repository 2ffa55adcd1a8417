internal import Shared

/// Splits the training's output into lines as a person reads them: without escape codes, and without the prefixes of
/// launchers.
///
/// A line ends with a line feed or a carriage return, so each state of a progress bar is a line of its own.
struct PlainLines: Sendable {
    /// Longest line that is read, in bytes. A longer one is a dump of data.
    static let maxBytes = 2000

    /// The bytes after the last line end.
    private var open: [UInt8] = []
    private var isOpenRead = false

    /// Returns the lines that `bytes` completes. `bytes` continue what was taken before.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        guard !bytes.isEmpty else { return [] }
        isOpenRead = false
        var lines: [[UInt8]] = []
        var rest = bytes
        while let end = rest.firstIndex(where: { $0 == .lineFeed || $0 == .carriageReturn }) {
            let line = open.isEmpty ? Array(rest[..<end]) : open + rest[..<end]
            open.removeAll(keepingCapacity: true)
            rest = rest[(end + 1)...]
            if let plain = Self.plain(line) { lines.append(plain) }
        }
        open.append(contentsOf: rest.prefix(max(0, Self.maxBytes + 1 - open.count)))
        return lines
    }

    /// Returns the line that has no end yet: a bar often ends only with its next state. nil if it was returned already.
    ///
    /// Call it when no more bytes came for a while: a number at its end may be half written.
    mutating func takeOpen() -> [UInt8]? {
        guard !open.isEmpty, !isOpenRead else { return nil }
        isOpenRead = true
        return Self.plain(open)
    }

    private static func plain(_ line: [UInt8]) -> [UInt8]? {
        guard line.count <= maxBytes else { return nil }
        let text = line.contains(.escape) ? withoutEscapes(line) : line
        let plain = Array(LauncherPrefix.removed(from: text[...]))
        return plain.isEmpty ? nil : plain
    }

    /// Removes the control sequences of ECMA-48: CSI up to its final byte, OSC up to BEL or ST, two-byte escapes.
    private static func withoutEscapes(_ line: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        var index = 0
        while index < line.count {
            guard line[index] == .escape else {
                plain.append(line[index])
                index += 1
                continue
            }
            index += 1
            switch index < line.count ? line[index] : 0 {
            case UInt8(ascii: "["):
                index += 1
                while index < line.count, !(0x40...0x7e).contains(line[index]) { index += 1 }
            case UInt8(ascii: "]"):
                while index < line.count, line[index] != 0x07, line[index] != UInt8(ascii: "\\") { index += 1 }
            default: break
            }
            index += 1
        }
        return plain
    }
}

/// The prefix with which a launcher of several processes begins each line.
enum LauncherPrefix {
    /// Returns `line` without the prefixes of torchrun (`[default0]:`), srun (`0: `), mpirun (`[1,0]<stdout>:`) and Ray
    /// (`(pid=123) `).
    static func removed(from line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = line
        // A launcher may start another one.
        for _ in 0..<3 {
            let shorter = withoutOne(rest)
            if shorter.count == rest.count { break }
            rest = shorter
        }
        return rest
    }

    private static func withoutOne(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let first = line.first else { return line }
        switch first {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            let rest = line.drop { $0.isDigit }
            // CatBoost numbers its lines "12:" and a tab.
            return rest.starts(with: ": ".utf8) && line.count - rest.count <= 4 ? rest.dropFirst(2) : line
        case UInt8(ascii: "["):
            guard let close = line.prefix(40).firstIndex(of: UInt8(ascii: "]")) else { return line }
            let inside = line[(line.startIndex + 1)..<close]
            let rest = line[(close + 1)...]
            if inside.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: ",") }), rest.starts(with: "<std".utf8),
                let colon = rest.firstIndex(of: UInt8(ascii: ":"))
            {
                return rest[(colon + 1)...]
            }
            let word = inside.prefix { $0.isLetter }
            guard word.elementsEqual("default".utf8) || word.elementsEqual("rank".utf8), rest.first == UInt8(ascii: ":")
            else { return line }
            return rest.dropFirst().drop { $0 == .space }
        case UInt8(ascii: "("):
            guard let close = line.prefix(80).firstIndex(of: UInt8(ascii: ")")),
                line[..<close].text.contains("pid=")
            else { return line }
            return line[(close + 1)...].drop { $0 == .space }
        default: return line
        }
    }
}

extension UInt8 {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let escape: UInt8 = 0x1b
    static let space = UInt8(ascii: " ")

    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}
