internal import Shared

/// Reduces a stream of bytes to the text that a terminal would keep: an overwritten line only in its last state.
///
/// Handles carriage return, backspace, erasing in a line (`ESC[K`) and moving up (`ESC[A`), which stacked progress bars
/// use. A line without these passes unchanged, byte for byte. Each character takes one column.
///
/// The result depends on the bytes alone, not on the pieces they come in.
struct TerminalLines: Sendable {
    /// Unfinished lines from the top, at least one. There are several if the program moved up.
    private var rows = [Row()]
    private var row = 0
    private var column = 0
    /// Escape sequences since the last character, mostly colours. They belong to the next character.
    private var pending: [UInt8] = []
    /// Escape sequences of the current colours, which also hold after a move.
    private var style: [UInt8] = []
    /// An escape sequence that has begun.
    private var escape: [UInt8] = []

    /// Characters. A longer line is no progress bar and is passed on before it ends.
    private static let longest = 64 << 10

    private struct Row: Sendable {
        /// One entry for each character, with the escape sequences before it.
        var cells: [[UInt8]] = []
        /// Escape sequences after the last character.
        var tail: [UInt8] = []
        /// A part of the line was overwritten or erased.
        var isOverwritten = false
        /// The text that was last shown.
        var shown: [UInt8]?

        var text: [UInt8] {
            var end = cells.endIndex
            if isOverwritten { while end > 0, cells[end - 1] == [UInt8(ascii: " ")] { end -= 1 } }
            return Array(cells[..<end].joined()) + tail
        }

        /// Whether the character before `column` is the last thing that came.
        func isUnfinished(at column: Int) -> Bool {
            column < cells.count || column == cells.count && tail.isEmpty
        }

        /// Whether the line looks empty now and had text before.
        var isErased: Bool { isOverwritten && cells.allSatisfy { $0.last == UInt8(ascii: " ") } }

        var isUntouched: Bool { cells.isEmpty && tail.isEmpty && !isOverwritten && shown == nil }

        /// Returns the text if it is not empty and was not shown yet.
        mutating func show() -> [UInt8]? {
            let text = text
            if isErased || text == shown { return nil }
            shown = text
            return text
        }
    }

    /// Takes the next bytes; returns the lines that they finish.
    mutating func feed(_ bytes: [UInt8]) -> [UInt8] {
        var finished: [UInt8] = []
        bytes.withUnsafeBufferPointer { bytes in
            var next = 0
            while next < bytes.count {
                if isClean, let end = Self.plainLine(bytes, from: next) {
                    finished += bytes[next..<end]
                    next = end
                } else {
                    take(bytes[next], &finished)
                    next += 1
                }
            }
        }
        return finished
    }

    /// Returns the unfinished lines that have changed since they were last shown, each ended by a newline.
    mutating func snapshot() -> [UInt8] {
        var lines: [UInt8] = []
        settle()
        for index in rows.indices where !rows[index].text.isEmpty {
            if let text = rows[index].show() { lines += text + [Self.newline] }
        }
        return lines
    }

    /// Returns the unfinished lines when the stream has ended, without a newline at the end, as in the stream.
    mutating func end() -> [UInt8] {
        settle()
        defer { self = TerminalLines() }
        let last = rows.indices.compactMap { rows[$0].show() }
        return Array(last.joined(separator: [Self.newline])) + escape
    }

    /// Bytes that draw the unfinished lines on a terminal whose cursor is at the start of an empty line.
    var open: [UInt8] {
        var copy = self
        copy.settle()
        let text = copy.rows.map { Array($0.cells.joined()) + $0.tail }
        var bytes = Array(text.joined(separator: [Self.newline]))
        if row < rows.count - 1 { bytes += Array("\u{1b}[\(rows.count - 1 - row)A".utf8) }
        if row < rows.count - 1 || column < rows[row].cells.count {
            bytes += [Self.carriageReturn] + rows[row].cells.prefix(column).joined()
        }
        return bytes + escape
    }

    // MARK: - Bytes

    private static let backspace: UInt8 = 0x08
    private static let newline: UInt8 = 0x0a
    private static let carriageReturn: UInt8 = 0x0d
    private static let escapeByte: UInt8 = 0x1b

    private var isClean: Bool {
        rows.count == 1 && column == 0 && pending.isEmpty && escape.isEmpty && rows[0].isUntouched
    }

    /// Returns the end of the line that begins at `start`; nil if the line is not complete or moves the cursor.
    private static func plainLine(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        for index in start..<bytes.count where bytes[index] < 0x20 {
            switch bytes[index] {
            case newline: return index + 1
            case backspace, carriageReturn, escapeByte: return nil
            default: break
            }
        }
        return nil
    }

    private mutating func take(_ byte: UInt8, _ finished: inout [UInt8]) {
        if !escape.isEmpty, takeEscaped(byte) { return }
        switch byte {
        case Self.escapeByte:
            escape = [byte]
        case Self.newline:
            settle()
            column = 0
            row += 1
            if row == rows.count { finishRows(&finished) }
        case Self.carriageReturn:
            settle()
            move(to: 0)
        case Self.backspace:
            settle()
            move(to: column - 1)
        case 0x80...0xbf where column > 0 && pending.isEmpty && rows[row].isUnfinished(at: column):
            // A later byte of a UTF-8 character.
            rows[row].cells[column - 1].append(byte)
        default:
            write(byte)
            if rows[row].cells.count > Self.longest { passOn(&finished) }
        }
    }

    private mutating func write(_ byte: UInt8) {
        while rows[row].cells.count < column { rows[row].cells.append([UInt8(ascii: " ")]) }
        if column == rows[row].cells.count {
            rows[row].cells.append(rows[row].tail + pending + [byte])
            rows[row].tail = []
        } else {
            rows[row].cells[column] = pending + [byte]
            rows[row].isOverwritten = true
        }
        pending = []
        column += 1
    }

    /// Attaches pending escape sequences to the character before them if the next character goes elsewhere.
    private mutating func settle() {
        if pending.isEmpty { return }
        if column >= rows[row].cells.count {
            rows[row].tail += pending
        } else if column > 0 {
            rows[row].cells[column - 1] += pending
        } else {
            return
        }
        pending = []
    }

    private mutating func move(to column: Int) {
        self.column = max(0, column)
        if pending.isEmpty { pending = style }
    }

    private mutating func finishRows(_ finished: inout [UInt8]) {
        for index in rows.indices {
            if let text = rows[index].show() { finished += text + [Self.newline] }
        }
        rows = [Row()]
        row = 0
    }

    private mutating func passOn(_ finished: inout [UInt8]) {
        finished += rows[row].text
        rows[row] = Row()
        column = 0
    }

    // MARK: - Escape sequences

    /// Returns whether the byte belongs to the sequence that has begun.
    private mutating func takeEscaped(_ byte: UInt8) -> Bool {
        // ECMA-48: control functions with parameters are ESC [ parameters intermediates final, others here ESC and a
        // byte.
        let isParameterized = escape.count > 1
        guard (0x20...0x7e).contains(byte), escape.count < 32 else {
            pending += escape
            escape = []
            return false
        }
        escape.append(byte)
        if isParameterized ? (0x40...0x7e).contains(byte) : byte != UInt8(ascii: "[") {
            let sequence = escape
            escape = []
            obey(sequence)
        }
        return true
    }

    private mutating func obey(_ sequence: [UInt8]) {
        let parameter = sequence.dropFirst(2).dropLast().text
        switch (sequence.count > 2 ? sequence.last : nil, parameter) {
        case (UInt8(ascii: "K"), ""), (UInt8(ascii: "K"), "0"):
            erase(column...)
        case (UInt8(ascii: "K"), "2"):
            erase(0...)
        case (UInt8(ascii: "A"), _) where parameter.isEmpty || Int(parameter) != nil:
            settle()
            moveUp(min(Int(parameter) ?? 1, 100))
            move(to: column)
        case (UInt8(ascii: "m"), _):
            pending += sequence
            style = ["", "0"].contains(parameter) ? [] : (style.count < 64 ? style : []) + sequence
        default:
            pending += sequence
        }
    }

    private mutating func erase(_ range: PartialRangeFrom<Int>) {
        let cells = rows[row].cells.count
        guard range.lowerBound < cells else { return }
        rows[row].cells.removeLast(cells - range.lowerBound)
        rows[row].tail = []
        rows[row].isOverwritten = true
    }

    /// Moves up. A line above the unfinished ones was shown already, so text written there appears as a new line.
    private mutating func moveUp(_ lines: Int) {
        for _ in 0..<lines {
            if row == 0 {
                var above = Row()
                above.isOverwritten = true
                rows.insert(above, at: 0)
            } else {
                row -= 1
            }
        }
    }
}
