internal import Shared

/// `trainer_state.json` and every other JSON file. Reads it whole and checks that it is JSON up to its end.
enum JSONFormat {
    /// A larger file is not checked. The largest known ones, vocabularies, have some 30 MB.
    static let maxSize = 512 << 20  // bytes

    static func check(_ file: InputFile) throws {
        if file.size > maxSize { throw Unchecked() }
        var json = JSONReader(file)
        guard try json.next() != nil else { throw Damage("contains no JSON") }
        while try json.next() != nil {}
    }
}

/// `model.safetensors.index.json` and similar indexes. Checks that each shard that the index names exists.
enum ShardIndexFormat {
    /// A bound on memory. No model has as many shards.
    private static let maxShards = 10_000

    /// `folder` contains the index and its shards.
    static func check(_ file: InputFile, in folder: String) throws {
        var json = JSONReader(file)
        guard try json.next() == .objectBegins else { throw Damage("is not an index of shards") }
        var shards: Set<String>?
        while let name = try json.nextName() {
            if name == "weight_map" { shards = try self.shards(&json) } else { try json.skipValue() }
        }
        guard let shards else { throw Damage("has no \"weight_map\"") }
        let missing = try shards.filter { try !File.exists("\(folder)/\($0)") }.sorted()
        if !missing.isEmpty { throw Damage("names \(missing.listed), which \(missing.areMissing)") }
    }

    private static func shards(_ json: inout JSONReader) throws -> Set<String> {
        guard try json.need() == .objectBegins else { throw Damage("has a \"weight_map\" that is not an object") }
        var shards: Set<String> = []
        while let tensor = try json.nextName() {
            guard try json.need() == .string, (1...255).contains(json.text.utf8.count) else {
                throw Damage("names no file for \"\(tensor.prefix(100))\"")
            }
            // An inexact text is not the name of the file.
            if json.isTextExact { shards.insert(json.text) }
            if shards.count > maxShards { throw Damage("names more than \(maxShards) shards") }
        }
        return shards
    }
}

extension [String] {
    /// The first three in quotes, and the number of the others.
    var listed: String {
        let shown = prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
        return count > 3 ? "\(shown) and \(count - 3) more" : shown
    }

    var areMissing: String { count == 1 ? "is missing" : "are missing" }
}
