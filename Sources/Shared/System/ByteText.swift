/// Text whose bytes need not be UTF-8, such as the value of a variable: it keeps every byte.
///
/// A byte that is no part of UTF-8 stands in the text as one of the last 256 scalars, which are for private use.
public enum ByteText {
    private static let first: UInt32 = 0x10_ff00

    public static func text(_ bytes: some Sequence<UInt8>) -> String {
        let bytes = Array(bytes)
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var scalars = String.UnicodeScalarView()
        var parser = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        var offset = 0
        while true {
            switch parser.parseScalar(from: &rest) {
            case .valid(let encoded):
                scalars.append(Unicode.UTF8.decode(encoded))
                offset += encoded.count
            case .error(let length):
                scalars.append(
                    contentsOf: bytes[offset..<offset + length].compactMap { Unicode.Scalar(first + UInt32($0)) })
                offset += length
            case .emptyInput: return String(scalars)
            }
        }
    }

    /// Returns the bytes that `text` was made of.
    public static func bytes(of text: String) -> [UInt8] {
        guard text.unicodeScalars.contains(where: { $0.value >= first }) else { return Array(text.utf8) }
        return text.unicodeScalars.flatMap { scalar in
            scalar.value >= first ? [UInt8(scalar.value - first)] : Array(String(scalar).utf8)
        }
    }
}
