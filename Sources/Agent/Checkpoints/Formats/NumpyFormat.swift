internal import Shared

/// `.npy`: a mark, a header that is a Python literal, and the data. The header gives the size of the data.
enum NumpyFormat {
    static let mark: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// A file with a longer header is not checked. NumPy's own limit is 10,000 bytes by default.
    private static let maxHeaderBytes = 1 << 20

    static func check(_ file: InputFile) throws {
        let head = try file.head(12)
        guard head.starts(with: mark) else { throw Damage("is not a NumPy array") }
        guard head.count == 12 else { throw cutOff(file) }
        let isFirstVersion = head[6] == 1
        let start = isFirstVersion ? 10 : 12
        let length = head[8..<start].littleEndian
        guard length <= UInt64(file.size - start) else { throw cutOff(file) }
        if length > UInt64(maxHeaderBytes) { return }
        let header = try file.bytes(at: start, count: Int(length)).text
        let data = file.size - start - Int(length)
        guard let type = value("'descr'", in: header)?.textInQuotes, let shape = shape(in: header) else {
            // Without a quoted type it is a structure of several types, whose size is not checked.
            guard header.contains("'descr'") else { throw Damage("has a NumPy header that cannot be read") }
            return
        }
        if type.hasSuffix("O") { return try PickleFormat.check(file) }
        guard let size = elementSize(type) else { return }
        let wanted = shape.reduce(size as Int?) { product, number in
            guard let product, case (let next, false) = product.multipliedReportingOverflow(by: number) else {
                return nil
            }
            return next
        }
        // More data is no damage: a file may contain several arrays.
        guard let wanted, wanted <= data else {
            throw Damage("header says \(wanted.map(String.init) ?? "too many") bytes of data, the file has \(data)")
        }
    }

    private static func cutOff(_ file: InputFile) -> Damage {
        Damage("ends after \(file.size) bytes in the middle of its NumPy header")
    }

    /// Returns the text after a key and its colon.
    private static func value(_ key: String, in header: String) -> Substring? {
        guard let range = header.firstRange(of: key) else { return nil }
        return header[range.upperBound...].drop { $0 == ":" || $0 == " " }
    }

    private static func shape(in header: String) -> [Int]? {
        guard let value = value("'shape'", in: header), value.first == "(" else { return nil }
        let numbers = value.dropFirst().prefix { $0 != ")" }.split(separator: ",").map(\.trimmed).filter { !$0.isEmpty }
        let sizes = numbers.compactMap { Int($0) }.filter { $0 >= 0 }
        return sizes.count == numbers.count ? sizes : nil
    }

    /// Returns the bytes of one element of a type such as `<f4`, `|b1`, `<U12` or `<M8[ns]`; nil for any other form.
    private static func elementSize(_ type: Substring) -> Int? {
        guard let kind = type.dropFirst().first, "biufcmMSUV?".contains(kind),
            let size = Int(type.dropFirst(2).prefix { $0 != "[" }), size >= 0, size <= 1 << 40
        else { return nil }
        return kind == "U" ? 4 * size : size
    }
}

extension Substring {
    /// The text in single quotes at the start; nil if there is none.
    fileprivate var textInQuotes: Substring? {
        first == "'" ? dropFirst().prefix { $0 != "'" } : nil
    }
}
