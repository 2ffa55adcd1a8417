extension String {
    /// This path with all but slashes and unreserved characters percent-encoded, RFC 3986, section 2.
    public var percentEncodedPath: String {
        let plain = Set("/-._~".utf8)
        return utf8.map { byte in
            let isPlain = plain.contains(byte) || Character(UnicodeScalar(byte)).isASCIILetterOrDigit
            return isPlain ? String(UnicodeScalar(byte)) : "%" + [byte].hexadecimal.uppercased()
        }.joined()
    }
}

extension StringProtocol {
    /// The bytes that this percent-encoded text stands for; nil if a `%` is not followed by two hexadecimal digits.
    public var percentDecoded: [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexadecimalValue, let low = rest.popFirst()?.hexadecimalValue else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}

extension Character {
    fileprivate var isASCIILetterOrDigit: Bool { isASCII && (isLetter || isNumber) }
}

extension UInt8 {
    fileprivate var hexadecimalValue: UInt8? {
        Character(UnicodeScalar(self)).hexDigitValue.map { UInt8($0) }
    }
}
