internal import Shared

/// Safetensors: a length of 8 bytes, a JSON header of that length, and the data of the tensors, each byte of it in one of them.
enum SafetensorsFormat {
    /// What the library itself reads at most, in bytes.
    static let longestHeader = 100_000_000
    /// Of tensors whose data does not follow that of the one before; a bound on memory. The library writes none such.
    private static let mostPieces = 1 << 16

    /// Bits of one element. A type that is not here is not held against its shape.
    private static let bits = [
        "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64, "F16": 16,
        "BF16": 16, "F32": 32, "F64": 64, "C64": 64, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    ]

    static func check(_ file: InputFile) throws {
        guard file.size >= 8 else {
            throw Damage("has \(file.size) bytes, fewer than the 8 that its header begins with")
        }
        let length = try file.bytes(at: 0, count: 8).littleEndian
        guard length <= UInt64(longestHeader) else {
            throw Damage("has a header of \(length) bytes, and none is longer than \(longestHeader)")
        }
        let start = 8 + Int(length)
        guard start <= file.size else { throw Damage("has a header of \(length) bytes, and ends after \(file.size)") }
        var json = JSONReader(file, 8..<start)
        let pieces = try pieces(&json)
        try check(pieces, data: file.size - start)
    }

    /// Where the tensors' data is, in the header's order; what follows on each other is one piece.
    private static func pieces(_ json: inout JSONReader) throws -> [Range<Int>] {
        guard try json.next() == .objectBegins else { throw Damage("has a header that is no JSON object") }
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
                if pieces.count > mostPieces { throw Unchecked() }
            }
        }
        if try json.next() != nil { throw Damage("has a header that goes on after its end") }
        return pieces
    }

    private static func tensor(_ name: String, _ json: inout JSONReader) throws -> Range<Int> {
        let quoted = "the tensor \"\(name.prefix(100))\""
        guard try json.need() == .objectBegins else { throw Damage("says nothing of \(quoted)") }
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
            throw Damage("does not say what and where \(quoted) is")
        }
        let size = offsets[1] - offsets[0]
        if let bits = bits[type],
            bits / 8 != (elements == 0 ? bits / 8 : size / elements) || elements == 0 && size != 0
                || elements > 0 && size % elements != 0
        {
            throw Damage("gives \(quoted) \(size) bytes, which are not \(elements) of \(type)")
        }
        return offsets[0]..<offsets[1]
    }

    private static func numbers(
        _ json: inout JSONReader, of quoted: String, _ each: (Int) throws -> Void
    ) throws {
        guard try json.need() == .arrayBegins else { throw Damage("has no list of numbers for \(quoted)") }
        while true {
            let token = try json.need()
            if token == .arrayEnds { return }
            guard token == .number, json.isTextExact, let number = Int(json.text), number >= 0 else {
                throw Damage("has something else than a count among the numbers of \(quoted)")
            }
            try each(number)
        }
    }

    /// Each of the `data` bytes belongs to one piece.
    private static func check(_ pieces: [Range<Int>], data: Int) throws {
        let sorted = pieces.sorted { $0.lowerBound < $1.lowerBound }
        let said = sorted.last?.upperBound ?? 0
        if said != data { throw Damage("header says \(said) bytes of data, the file has \(data)") }
        var end = 0
        for piece in sorted {
            if piece.lowerBound != end {
                let what = piece.lowerBound > end ? "belongs to no tensor" : "belongs to two tensors"
                throw Damage("header says that byte \(min(end, piece.lowerBound)) of the data \(what)")
            }
            end = piece.upperBound
        }
    }
}
