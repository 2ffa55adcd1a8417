/// Whether the training's output has left a line open, and colours, where launch's own words go too.
struct OpenLine: Sendable {
    let isTerminal: Bool
    private var isOpen = false
    private var isStyled = false

    /// Plain colours, and a cursor that can be seen.
    static let reset = "\u{1b}[0m\u{1b}[?25h"

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    mutating func saw(_ output: [UInt8]) {
        guard let last = output.last else { return }
        isOpen = last != UInt8(ascii: "\n")
        isStyled = isStyled || isTerminal && output.contains(0x1b)
    }

    /// What has to go before a line of launch's own.
    mutating func close() -> String {
        defer { (isOpen, isStyled) = (false, false) }
        return (isStyled ? Self.reset : "") + (isOpen ? "\n" : "")
    }
}
