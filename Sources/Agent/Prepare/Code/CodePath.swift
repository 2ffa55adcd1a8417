/// A path in the work tree as bytes. Two names that Unicode treats as equal may be two files.
typealias CodePath = [UInt8]

extension CodePath {
    static let slash = UInt8(ascii: "/")

    /// The folders that contain it, the outermost first.
    var folders: [CodePath] {
        indices.filter { self[$0] == Self.slash && $0 > 0 && $0 < count - 1 }.map { Array(self[..<$0]) }
    }

    /// Whether the path stays inside the work tree: relative, not empty, and without `..`.
    var isInside: Bool {
        first != Self.slash && !isEmpty && !split(separator: Self.slash).contains { Array($0) == Array("..".utf8) }
    }

    func appending(_ name: CodePath) -> CodePath { isEmpty ? name : self + [Self.slash] + name }
}
