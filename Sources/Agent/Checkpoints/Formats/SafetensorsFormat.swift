internal import Shared

/// Safetensors: a length of 8 bytes, a JSON header of that length, and the data. Each byte of data belongs to one
/// tensor.
enum SafetensorsFormat {
    /// The limit of the safetensors library.
    static let maxHeaderBytes = 100_000_000
    /// A bound on memory: a new piece begins when a tensor's data does not follow the last one's. The library writes
    /// one.
    private static let maxPieces = 1 << 16

    /// Bits of one element. The size of a tensor is not checked if its type is not in this list.
    private static let bits = [
        "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64, "F16": 16,
        "BF16": 16, "F32": 32, "F64": 64, "C64": 64, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    ]

    static func check(_ file: InputFile) throws {
        guard file.size >= 8 else {
            throw Damage("has \(file.size) bytes, fewer than the 8 with which a header begins")
        }
        let length = try file.bytes(at: 0, count: 8).littleEndian
        guard length <= UInt64(maxHeaderBytes) else {
            throw Damage("has a header of \(length) bytes, above the limit of \(maxHeaderBytes)")
        }
        let start = 8 + Int(length)
        guard start <= file.size else {
            throw Damage("has a header of \(length) bytes, but only \(file.size) bytes in all")
        }
        var json = JSONReader(file, 8..<start)
        let pieces = try pieces(&json)
        try check(pieces, data: file.size - start)
    }

    /// Returns the ranges of the tensors' data in the header's order, with adjacent ones joined.
    private static func pieces(_ json: inout JSONReader) throws -> [Range<Int>] {
        guard try json.next() == .objectBegins else { throw Damage("has a header that is not a JSON object") }
        var pieces: [Range<Int>] = []
        while let name = try json.nextName() {
            if name == "__metadata__" {
                try json.skipValue()
                continue
            }
            let range = try tensor(name, &json)
            if let last = pieces.last, last.upperBound == range.lowerBound {
                pieces[pieces.count - 1] = last.lowerBound..<range.upperBound
            } else if !range.isEmpty {
                pieces.append(range)
                if pieces.count > maxPieces { throw Unchecked() }
            }
        }
        if try json.next() != nil { throw Damage("has a header that continues after its end") }
        return pieces
    }

    private static func tensor(_ name: String, _ json: inout JSONReader) throws -> Range<Int> {
        let quoted = "the tensor \"\(name.prefix(100))\""
        guard try json.need() == .objectBegins else { throw Damage("does not describe \(quoted)") }
        var type: String?
        var elements: Int?
        var offsets: [Int] = []
        while let key = try json.nextName() {
            switch key {
            case "dtype":
                guard try json.need() == .string else { throw Damage("gives \(quoted) no type") }
                type = json.text
            case "shape":
                elements = 1
                try numbers(&json, of: quoted) { number in
                    let (product, isTooLarge) = (elements ?? 0).multipliedReportingOverflow(by: number)
                    if isTooLarge { throw Damage("gives \(quoted) an impossible shape") }
                    elements = product
                }
            case "data_offsets":
                try numbers(&json, of: quoted) { number in
                    if offsets.count == 2 { throw Damage("gives \(quoted) more than two offsets") }
                    offsets.append(number)
                }
            default: try json.skipValue()
            }
        }
        guard let type, let elements, offsets.count == 2, offsets[0] <= offsets[1] else {
            throw Damage("does not give type, shape and place of \(quoted)")
        }
        let size = offsets[1] - offsets[0]
        if let bits = bits[type], !isSize(size, of: elements, bytesEach: bits / 8) {
            throw Damage("gives \(quoted) \(size) bytes, which are not \(elements) of \(type)")
        }
        return offsets[0]..<offsets[1]
    }

    private static func isSize(_ size: Int, of elements: Int, bytesEach: Int) -> Bool {
        if elements == 0 { return size == 0 }
        // A product could overflow.
        return size % elements == 0 && size / elements == bytesEach
    }

    private static func numbers(
        _ json: inout JSONReader, of quoted: String, _ each: (Int) throws -> Void
    ) throws {
        guard try json.need() == .arrayBegins else { throw Damage("has no list of numbers for \(quoted)") }
        while true {
            let token = try json.need()
            if token == .arrayEnds { return }
            guard token == .number, json.isTextExact, let number = Int(json.text), number >= 0 else {
                throw Damage("has something other than a count among the numbers of \(quoted)")
            }
            try each(number)
        }
    }

    /// Checks that each of the `data` bytes belongs to exactly one piece.
    private static func check(_ pieces: [Range<Int>], data: Int) throws {
        let sorted = pieces.sorted { $0.lowerBound < $1.lowerBound }
        let end = sorted.last?.upperBound ?? 0
        if end != data { throw Damage("header says \(end) bytes of data, the file has \(data)") }
        var position = 0
        for piece in sorted {
            if piece.lowerBound != position {
                let what = piece.lowerBound > position ? "belongs to no tensor" : "belongs to two tensors"
                throw Damage("header says that byte \(min(position, piece.lowerBound)) of the data \(what)")
            }
            position = piece.upperBound
        }
    }
}
