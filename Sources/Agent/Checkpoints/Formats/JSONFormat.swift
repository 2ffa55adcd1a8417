internal import Shared

/// `trainer_state.json` and every other JSON file: read whole, and found to be JSON to its end.
enum JSONFormat {
    /// Bytes. The largest that are known, vocabularies, have some 30 MB.
    static let largest = 512 << 20

    static func check(_ file: InputFile) throws {
        if file.size > largest { throw Unchecked() }
        var json = JSONReader(file)
        guard try json.next() != nil else { throw Damage("holds no JSON") }
        while try json.next() != nil {}
    }
}

/// `model.safetensors.index.json` and its like: every shard that it names is there.
enum ShardIndexFormat {
    /// Far above what a model is cut into; a bound on memory.
    private static let mostShards = 10_000

    /// `folder` is where the index is, and its shards.
    static func check(_ file: InputFile, in folder: String) throws {
        var json = JSONReader(file)
        guard try json.next() == .objectBegins else { throw Damage("is no index of shards") }
        var shards: Set<String>?
        while let name = try json.nextName() {
            if name == "weight_map" { shards = try self.shards(&json) } else { try json.skipValue() }
        }
        guard let shards else { throw Damage("has no \"weight_map\"") }
        let missing = shards.filter { !File.exists("\(folder)/\($0)") }.sorted()
        if !missing.isEmpty { throw Damage("names \(missing.listed), which \(missing.areMissing)") }
    }

    private static func shards(_ json: inout JSONReader) throws -> Set<String> {
        guard try json.need() == .objectBegins else { throw Damage("has a \"weight_map\" that is no object") }
        var shards: Set<String> = []
        while let tensor = try json.nextName() {
            guard try json.need() == .string, (1...255).contains(json.text.utf8.count) else {
                throw Damage("names no file for \"\(tensor.prefix(100))\"")
            }
            // Otherwise the file has another name.
            if json.isTextExact { shards.insert(json.text) }
            if shards.count > mostShards { throw Damage("names more than \(mostShards) shards") }
        }
        return shards
    }
}

extension [String] {
    /// The first few in quotes, and how many more there are.
    var listed: String {
        let shown = prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
        return count > 3 ? "\(shown) and \(count - 3) more" : shown
    }

    var areMissing: String { count == 1 ? "is missing" : "are missing" }
}
