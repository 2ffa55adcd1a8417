internal import Shared

/// Reads the end of a log.
struct LogTail: Sendable {
    let log: LogStream

    /// Bytes per read, and all that `screen` reads.
    private static let window = 256 << 10

    /// Returns the offset at which the last `lines` lines begin. An unfinished line counts.
    func start(lines: Int) throws -> Int {
        let end = try log.end
        var wanted = lines
        var begin = end
        while begin > log.begin {
            let stop = begin
            begin = max(log.begin, stop - Self.window)
            let bytes = try read(begin..<stop)
            for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
                // The newline at the very end begins no line.
                if begin + index + 1 == end { continue }
                wanted -= 1
                if wanted == 0 { return begin + index + 1 }
            }
        }
        return lines > 0 ? log.begin : end
    }

    /// Returns the offset of the first byte of the line that holds byte `offset`. Returns `offset` if the line is
    /// longer than one read.
    func lineStart(before offset: Int) throws -> Int {
        let begin = max(log.begin, offset - Self.window)
        guard begin < offset else { return offset }
        guard let newline = try read(begin..<offset).lastIndex(of: UInt8(ascii: "\n")) else {
            return begin == log.begin ? begin : offset
        }
        return begin + newline + 1
    }

    /// The end of a log as a terminal shows it.
    struct Screen: Sendable {
        /// Finished lines.
        var text: [UInt8]
        /// The unfinished line, with the state in which later bytes continue it.
        var lines: TerminalLines
        /// The offset of the byte after these.
        var end: Int
    }

    func screen(lines: Int) throws -> Screen {
        let end = try log.end
        let begin = max(log.begin, end - Self.window)
        var bytes = try read(begin..<end)[...]
        if begin > 0 {
            // Overwritten text does not matter, so a line may also begin after a carriage return.
            let newlines: Set<UInt8> = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
            bytes = bytes.drop { !newlines.contains($0) }.dropFirst()
        }
        var terminal = TerminalLines()
        let finished = terminal.feed(Array(bytes))
        let isOpen = !terminal.open.isEmpty
        let starts = finished.indices.filter { $0 == 0 || finished[$0 - 1] == UInt8(ascii: "\n") }
        let wanted = max(0, isOpen ? lines - 1 : lines)
        let start = starts.suffix(wanted).first ?? finished.endIndex
        return Screen(text: Array(finished[start...]), lines: terminal, end: end)
    }

    private func read(_ range: Range<Int>) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < range.count {
            let more = try log.read(at: range.lowerBound + bytes.count, limit: range.count - bytes.count)
            if more.isEmpty {
                throw Problem("the log lacks bytes \(range.lowerBound + bytes.count) to \(range.upperBound - 1)")
            }
            bytes += more
        }
        return bytes
    }
}
