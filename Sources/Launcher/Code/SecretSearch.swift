internal import Shared

/// Searches bytes for the values of known secrets. It never reports which one it found.
struct SecretSearch: Sendable {
    private let values: [Value]

    /// The longest part of a value, in bytes, that a buffer can end with: the longest value less one.
    let overlap: Int

    init(_ secrets: [String]) {
        values = Set(secrets).map { Array($0.utf8) }.filter { $0.count >= RunSpec.shortestSecret }.map(Value.init)
        overlap = (values.map(\.bytes.count).max() ?? 1) - 1
    }

    func finds(in text: String) -> Bool { Array(text.utf8).withUnsafeBytes { finds(in: $0) } }

    func finds(in bytes: UnsafeRawBufferPointer) -> Bool { values.contains { $0.isIn(bytes) } }

    /// Searches by the method of Horspool: after a byte that the value does not have, the window moves by its whole
    /// length.
    private struct Value {
        let bytes: [UInt8]
        private let shift: [Int]

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
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
