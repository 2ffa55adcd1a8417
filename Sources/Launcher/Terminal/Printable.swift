internal import Shared

extension String {
    /// The text without characters that a terminal obeys or that change the order of others: those become `\\u001b`
    /// and the like. Line breaks and tabs stay. JSON stays the same JSON.
    var printable: String { escaped(except: ["\n", "\t"]) }

    /// The same for one line or cell: line breaks and tabs are escaped too.
    var printableLine: String { escaped(except: []) }

    private func escaped(except kept: Set<Unicode.Scalar>) -> String {
        guard unicodeScalars.contains(where: { $0.isHarmful && !kept.contains($0) }) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.isHarmful && !kept.contains(scalar) {
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension Unicode.Scalar {
    /// Control characters, C0 and C1, and those that set the direction of text or break lines, Unicode TR 36, section 3.
    fileprivate var isHarmful: Bool {
        switch value {
        case 0...0x1f, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
