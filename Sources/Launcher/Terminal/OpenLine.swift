/// Tracks whether the training's output has left an unfinished line, or colours, on the terminal that launch writes to
/// as well.
struct OpenLine: Sendable {
    let isTerminal: Bool
    private var isOpen = false
    private var isStyled = false

    /// Resets colours and shows the cursor.
    static let reset = "\u{1b}[0m\u{1b}[?25h"

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    mutating func saw(_ output: [UInt8]) {
        guard let last = output.last else { return }
        isOpen = last != UInt8(ascii: "\n")
        isStyled = isStyled || isTerminal && output.contains(0x1b)
    }

    /// Returns the text to write before a line of launch's own.
    mutating func close() -> String {
        defer { (isOpen, isStyled) = (false, false) }
        return (isStyled ? Self.reset : "") + (isOpen ? "\n" : "")
    }
}
