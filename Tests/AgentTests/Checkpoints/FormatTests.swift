import Shared
import TestSupport
import Testing

@testable import Agent

/// The faults that each format finds in files that were made by hand.
@Suite struct FormatTests {
    private func fault(_ name: String, _ bytes: [UInt8]) throws -> String? {
        try SavedCheckpoint(file: name, bytes).faults().first.map { String($0.dropFirst(name.count + 2)) }
    }

    private func safetensors(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
        let length = length ?? UInt64(header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
            + [UInt8](repeating: 7, count: data)
    }

    private static func tensor(_ name: String, _ type: String, _ shape: String, _ begin: Int, _ end: Int) -> String {
        #""\#(name)": {"dtype": "\#(type)", "shape": [\#(shape)], "data_offsets": [\#(begin), \#(end)]}"#
    }

    @Test(
        "a safetensors header is compared with the size of the data and checked tensor by tensor",
        arguments: [
            ("{}", 0, nil), ("{}   ", 0, nil), (#"{"__metadata__": {"a": "}"}}"#, 0, nil),
            ("{}", 1, "header says 0 bytes of data, the file has 1"),
            ("{\(tensor("a", "F32", "2, 3", 0, 24))}", 24, nil),
            ("{\(tensor("a", "F32", "2, 3", 0, 24))}", 20, "header says 24 bytes of data, the file has 20"),
            ("{\(tensor("a", "F32", "2, 3", 0, 20))}", 20, "gives the tensor \"a\" 20 bytes, which are not 6 of F32"),
            (
                "{\(tensor("a", "F32", "", 0, 4)), \(tensor("b", "BF16", "0, 9", 4, 4)), \(tensor("c", "I64", "1", 4, 12))}",
                12, nil
            ),
            // The tensors may stand in any order.
            ("{\(tensor("c", "I64", "1", 4, 12)), \(tensor("a", "F32", "", 0, 4))}", 12, nil),
            (
                "{\(tensor("c", "I64", "1", 8, 16)), \(tensor("a", "F32", "", 0, 4))}", 16,
                "header says that byte 4 of the data belongs to no tensor"
            ),
            (
                "{\(tensor("c", "I64", "1", 2, 10)), \(tensor("a", "F32", "", 0, 4))}", 10,
                "header says that byte 2 of the data belongs to two tensors"
            ),
            ("{\(tensor("a", "NEW9", "3", 0, 4))}", 4, nil),
            (
                "{\(tensor("a", "F32", "4611686018427387904, 4611686018427387904", 0, 4))}", 4,
                "gives the tensor \"a\" an impossible shape"
            ),
            ("{\(tensor("a", "F32", "1", 4, 0))}", 4, "does not give type, shape and place of the tensor \"a\""),
            (
                "{\(tensor("a", "F32", "-1", 0, 4))}", 4,
                "has something other than a count among the numbers of the tensor \"a\""
            ),
            (
                #"{"a": {"dtype": "F32", "data_offsets": [0, 4]}}"#, 4,
                "does not give type, shape and place of the tensor \"a\""
            ),
            (
                #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 9]}}"#, 4,
                "gives the tensor \"a\" more than two offsets"
            ),
            ("[]", 0, "has a header that is not a JSON object"),
            ("{}{}", 0, "has a header that continues after its end"),
            ("{", 0, "ends in the middle of its JSON"), ("", 0, "has a header that is not a JSON object"),
            ("{\0}", 0, "is not valid JSON: the byte 0 at byte 9"),
        ] as [(String, Int, String?)])
    func safetensorsHeader(_ header: String, _ data: Int, _ expected: String?) throws {
        #expect(try fault("model.safetensors", safetensors(header, data: data)) == expected)
    }

    @Test(
        "a safetensors file with an impossible header length is a fault",
        arguments: [
            (UInt64.max, "has a header of 18446744073709551615 bytes, above the limit of 100000000"),
            (99_999_999, "has a header of 99999999 bytes, but only 10 bytes in all"),
            (3, "has a header of 3 bytes, but only 10 bytes in all"),
        ])
    func safetensorsLength(_ length: UInt64, _ expected: String) throws {
        #expect(try fault("a.safetensors", safetensors("{}", length: length)) == expected)
    }

    @Test(
        "JSON, lines of JSON, and JSON with Python's NaN and Infinity are no fault in a checkpoint",
        arguments: [
            "{}", "[]", "1", "-0.5e-3", "null", " true\n", #""""#, #"{"a": [1, {"b": "\u00e9\"\\"}], "c": NaN}"#,
            "[Infinity, -Infinity]",
            "{\"a\": 1}\n{\"a\": 2}\n", "[[[[]]]]", "[1.0, 2]", "{\"日本\": \"ü\"}",
        ])
    func wholeJSON(_ text: String) throws {
        #expect(try fault("a.json", Array(text.utf8)) == nil)
    }

    @Test(
        "broken JSON in a checkpoint is a fault",
        arguments: [
            ("{", "ends in the middle of its JSON"), ("[1, 2", "ends in the middle of its JSON"),
            ("{\"a\": \"b", "ends in the middle of its JSON"), ("{\"a", "ends in the middle of its JSON"),
            ("{\"a\\", "ends in the middle of its JSON"), (" ", "contains no JSON"),
            ("{\"a\" 1}", "is not valid JSON: \"1\" at byte 5"), ("[1,]", "is not valid JSON: \"]\" at byte 3"),
            ("[1 2]", "is not valid JSON: \"2\" at byte 3"),
            ("{1: 2}", "is not valid JSON: \"1\" at byte 1"), ("[,1]", "is not valid JSON: \",\" at byte 1"),
            ("]", "is not valid JSON: \"]\" at byte 0"),
            ("{]", "is not valid JSON: \"]\" at byte 1"), ("[1}", "is not valid JSON: \"}\" at byte 2"),
            ("[\"a\nb\"]", "is not valid JSON: the byte 10 at byte 3"),
            ("[1.2.3]", "is not valid JSON: \"1.2.3\" before byte 6"),
            ("[-]", "is not valid JSON: \"-\" before byte 2"),
            ("[\"\\x\"]", "is not valid JSON: \"x\" at byte 3"),
            ("[tru]", "is not valid JSON: \"t\" at byte 1"),
            ("{\"a\": 1}\0\0\0", "is not valid JSON: the byte 0 at byte 8"),
            (String(repeating: "[", count: 100_000), "is nested more than 512 deep"),
        ])
    func brokenJSON(_ text: String, _ expected: String) throws {
        #expect(try fault("a.json", Array(text.utf8)) == expected)
    }

    @Test(
        "an index of shards is a fault when it is malformed or names a missing file",
        arguments: [
            (#"{"weight_map": {}}"#, nil), ("{}", "has no \"weight_map\""), ("[]", "is not an index of shards"),
            (#"{"weight_map": {"a": 1}}"#, "names no file for \"a\""),
            (#"{"weight_map": {"a": ""}}"#, "names no file for \"a\""),
            (#"{"weight_map": []}"#, "has a \"weight_map\" that is not an object"),
            (#"{"weight_map": {"a": "x", "b": "x", "c": "y"}}"#, "names \"x\", \"y\", which are missing"),
            (
                #"{"weight_map": {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}, "z": 1}"#,
                "names \"1\", \"2\", \"3\" and 2 more, which are missing"
            ),
            (#"{"weight_map": {"a": "pytorch_model.bin.index.json"}}"#, nil),
            (#"{"weight_map": {"#, "ends in the middle of its JSON"),
        ] as [(String, String?)])
    func shardIndex(_ text: String, _ expected: String?) throws {
        #expect(try fault("pytorch_model.bin.index.json", Array(text.utf8)) == expected)
    }

    /// A file is checked only against the format that its name or its first bytes give.
    @Test(
        "a file of an unknown format is no fault and counts as not checked",
        arguments: [
            "model.gguf", "tokenizer.model", "vocab.txt", "raw.bin", "data.joblib", "flax_model.msgpack", "x.pt",
            "x.pkl",
        ])
    func unknownFormat(_ name: String) throws {
        let proof = try SavedCheckpoint(file: name, Array("GGUF\0\0\0 something".utf8)).examine()
        #expect(proof == CheckpointProof(files: 1, checked: 0, openEnded: [name]))
    }

    @Test(
        "a file whose content is not of the format that its name gives is a fault",
        arguments: [
            ("a.npy", "is not a NumPy array"), ("a.npz", "is not a zip archive"),
            ("a.json", "is not valid JSON: \"G\" at byte 0"),
        ])
    func wrongName(_ name: String, _ expected: String) throws {
        #expect(try fault(name, Array("GGUF something".utf8)) == expected)
    }

    /// Each changed byte of this torch.save archive belongs to a count, an offset or a mark.
    @Test("damage in a zip's directory, its end or a member's header is a fault")
    func damagedZip() throws {
        let content = try SavedCheckpoint.content("trainer/scheduler.pt")
        let end = content.count - 22
        let wideEnd = end - 20 - 56
        for (place, what) in [
            (end - 9, "has its zip64 record at byte"), (wideEnd, "has no zip64 record at byte"),
            (wideEnd + 32, "members in its zip directory instead of"),
            (wideEnd + 44, "has its zip directory at byte"),
            (wideEnd + 52, "has its zip directory at byte"),
        ] {
            var bytes = content
            bytes[place] ^= 0x41
            let found = try fault("a.pt", bytes)
            #expect(found?.contains(what) == true, "\(found ?? "nothing") for byte \(place)")
        }
        let directory = Int(content[wideEnd + 48..<wideEnd + 56].littleEndian)
        var bytes = content
        bytes[directory + 42] ^= 0x41
        #expect(try fault("a.pt", bytes)?.hasPrefix("has no zip member at byte") == true)
        bytes = content
        bytes[directory + 23] = 0x40
        #expect(try fault("a.pt", bytes)?.contains("reaches beyond the directory") == true)
        // A lost disk block in the middle.
        bytes = content
        let second = try #require(content.indices.dropFirst(4).first { content[$0...].starts(with: ZipFormat.mark) })
        for index in second..<second + 4 { bytes[index] = 0 }
        #expect(
            try fault("a.pt", bytes) == "has no zip member at byte \(second), where its directory lists one")
        bytes = content
        bytes[0..<4] = [0x50, 0x4b, 3, 5]
        #expect(try fault("a.npz", bytes) == "is not a zip archive")
    }

    /// With a comment, without members, and with a zip64 member.
    @Test("archives of Python's zipfile are whole, and cut off ones are not")
    func otherZips() throws {
        let folder = try TemporaryFolder()
        let script = """
            import zipfile
            with zipfile.ZipFile('a.npz', 'w') as archive:
                archive.comment = b'PK\\5\\6 is no end' + b'x' * 30000
                for i in range(100): archive.writestr(f'{i}.npy', b'y' * i)
            with zipfile.ZipFile('none.npz', 'w'): pass
            with zipfile.ZipFile('wide.npz', 'w') as archive:
                with archive.open('a.npy', 'w', force_zip64=True) as member: member.write(b'z' * 1000)
            """
        let (code, output) = try Command.run(["python3", "-c", script], in: folder.path)
        #expect(code == 0, "\(output.text)")
        let proof = try CheckpointProof.examine(folder.path)
        #expect(proof == CheckpointProof(files: 3, checked: 3))
        let content = try File.read("\(folder.path)/a.npz")
        for length in stride(from: 0, to: content.count, by: 997) {
            #expect(try fault("a.npz", Array(content[..<length])) != nil)
        }
    }
}
