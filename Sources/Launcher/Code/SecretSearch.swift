internal import Shared

/// Searches bytes for the values of known secrets.
struct SecretSearch: Sendable {
    private let values: [Value]

    /// The longest part of a value, in bytes, that a buffer can end with: the longest value less one.
    let overlap: Int

    init(_ secrets: [KnownSecret]) {
        values = secrets.filter { $0.value.utf8.count >= RunSpec.shortestSecret }.map(Value.init)
        overlap = (values.map(\.bytes.count).max() ?? 1) - 1
    }

    /// Returns a secret whose value is in `text`; nil if there is none.
    func find(in text: String) -> KnownSecret? { Array(text.utf8).withUnsafeBytes { find(in: $0) } }

    func find(in bytes: UnsafeRawBufferPointer) -> KnownSecret? { values.first { $0.isIn(bytes) }?.secret }

    /// Searches by the method of Horspool: after a byte that the value does not have, the window moves by its whole
    /// length.
    private struct Value {
        let secret: KnownSecret
        let bytes: [UInt8]
        private let shift: [Int]

        init(_ secret: KnownSecret) {
            self.secret = secret
            bytes = ByteText.bytes(of: secret.value)
            var shift = [Int](repeating: bytes.count, count: 256)
            for (index, byte) in bytes.dropLast().enumerated() { shift[Int(byte)] = bytes.count - 1 - index }
            self.shift = shift
        }

        func isIn(_ text: UnsafeRawBufferPointer) -> Bool {
            let last = bytes.count - 1
            return bytes.withUnsafeBytes { value in
                shift.withUnsafeBufferPointer { shift in
                    var start = 0
                    while start + last < text.count {
                        let end = text[start + last]
                        if end == value[last] && text[start..<start + last].elementsEqual(value[..<last]) {
                            return true
                        }
                        start += shift[Int(end)]
                    }
                    return false
                }
            }
        }
    }
}
