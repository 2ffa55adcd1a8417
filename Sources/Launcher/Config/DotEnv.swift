internal import Shared

/// The variables of a `.env` file. The format belongs to other programs: a line that cannot be read is no error, unless
/// the config needs its variable.
///
/// Values without quotes and in double quotes expand `$NAME`, `${NAME}` and `${NAME:-default}`: from the environment,
/// else from an earlier line. The last of two equal names counts. No error shows a value.
struct DotEnv: Sendable {
    /// The file's name in errors.
    let name: String
    private(set) var values: [String: String] = [:]
    /// The reasons why variables have no value, by their names.
    private(set) var unreadable: [String: ConfigError] = [:]
    /// Reports of skipped lines and of a file that cannot be read.
    private(set) var warnings: [ConfigError] = []

    /// There are no variables if the file is absent, or is a folder: some users keep a Python environment there.
    init(path: String, name: String, environment: [String: String]) {
        var (bytes, problem) = ([UInt8](), ConfigError?.none)
        if let status = File.statusOfTarget(path), !status.isFolder {
            do { bytes = try TextFile.read(path, name: name) } catch { problem = error }
        }
        self.init(bytes, name: name, environment: environment)
        if let problem { warnings = [problem] }
    }

    init(_ bytes: [UInt8], name: String, environment: [String: String] = [:]) {
        self.name = name
        var parser = DotEnvParser(bytes)
        var skipped: [Int] = []
        while let (line, number) = parser.nextLine() {
            switch line {
            case .assignment(let variable, let pieces): set(variable, to: pieces, environment, line: number)
            case .unreadable(let variable, let reason): refuse(variable, reason, line: number)
            case .reference: break
            case .unknown: skipped.append(number)
            }
        }
        warnings = unreadable.values.sorted { $0.precedes($1) }
        if let first = skipped.first {
            let more = skipped.count == 1 ? "" : ", and \(skipped.count - 1) more lines of its kind"
            warnings.append(
                ConfigError(
                    file: name, place: Place(line: first),
                    message: "this line assigns no variable; it is skipped\(more)"))
        }
    }

    private mutating func set(
        _ variable: String, to pieces: [DotEnvParser.Piece], _ environment: [String: String], line: Int
    ) {
        let bytes = pieces.flatMap { piece -> [UInt8] in
            switch piece {
            case .literal(let text): text
            case .expanding(let text): Self.expand(text) { environment[$0] ?? values[$0] }
            }
        }
        guard !bytes.contains(0) else { return refuse(variable, "it holds a NUL character", line: line) }
        values[variable] = ByteText.text(bytes)
        unreadable[variable] = nil
    }

    private mutating func refuse(_ variable: String, _ reason: String, line: Int) {
        values[variable] = nil
        unreadable[variable] = ConfigError(
            file: name, place: Place(line: line), key: variable,
            message: "the value of \"\(variable)\" cannot be read: \(reason)")
    }
}

// MARK: - Expansion

extension DotEnv {
    /// Returns `text` with its variables expanded. A variable that is not set stays as it is written.
    private static func expand(_ text: [UInt8], _ value: (String) -> String?) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if let (reference, expanded) = reference(at: rest, value) {
                result += expanded
                rest = rest.dropFirst(reference)
            } else {
                result.append(UInt8(ascii: "$"))
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    /// Returns the length of the reference at the beginning of `text`, and its value; nil if there is none.
    private static func reference(
        at text: ArraySlice<UInt8>, _ value: (String) -> String?
    ) -> (length: Int, value: [UInt8])? {
        let isBraced = text.dropFirst().first == UInt8(ascii: "{")
        let start = isBraced ? 2 : 1
        let name = text.dropFirst(start).prefix {
            String(UnicodeScalar($0)).isVariableName || (0x30...0x39).contains($0)
        }
        guard name.text.isVariableName else { return nil }
        let known = value(name.text)
        guard isBraced else { return known.map { (start + name.count, ByteText.bytes(of: $0)) } }
        let rest = text.dropFirst(start + name.count)
        guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
        let length = end + 1 - text.startIndex
        let other = rest[..<end]
        if other.isEmpty { return known.map { (length, ByteText.bytes(of: $0)) } }
        // ${NAME:-default} also replaces an empty value, ${NAME-default} does not.
        for (mark, isSet) in [(":-", known?.isEmpty == false), ("-", known != nil)] where other.starts(with: mark.utf8)
        {
            return (length, isSet ? ByteText.bytes(of: known ?? "") : Array(other.dropFirst(mark.utf8.count)))
        }
        return nil
    }
}

extension StringProtocol {
    /// Whether the text matches `[A-Za-z_][A-Za-z0-9_]*`.
    var isVariableName: Bool {
        guard let first = utf8.first, !(0x30...0x39).contains(first) else { return false }  // 0-9
        return utf8.allSatisfy(\.isVariableNameByte)
    }
}

extension UInt8 {
    fileprivate var isVariableNameByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x5f, 0x61...0x7a: true  // 0-9, A-Z, _, a-z
        default: false
        }
    }
}
