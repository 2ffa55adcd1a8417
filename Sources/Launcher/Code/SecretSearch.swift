internal import Shared

/// Finds the values of known secrets in bytes, without ever saying which.
struct SecretSearch: Sendable {
    private let values: [Value]

    /// Bytes that a value can reach into from the buffer before: the longest value less one.
    let overlap: Int

    init(_ secrets: [String]) {
        values = Set(secrets).map { Array($0.utf8) }.filter { $0.count >= RunSpec.shortestSecret }.map(Value.init)
        overlap = (values.map(\.bytes.count).max() ?? 1) - 1
    }

    func finds(in text: String) -> Bool { Array(text.utf8).withUnsafeBytes { finds(in: $0) } }

    func finds(in bytes: UnsafeRawBufferPointer) -> Bool { values.contains { $0.isIn(bytes) } }

    /// Searched as Horspool does: where the window's last byte is not in the value, it moves by the whole value.
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
