internal import Shared

extension CodePack {
    /// Lines about what is in the pack and what is not.
    var notes: [String] {
        let count = files == 1 ? "1 file" : "\(files) files"
        let first = "the code is \(count), \(Format.size(code.size)); \(ignored.words)"
        let last = leftOut.isEmpty ? [] : ["left out of the code: \(leftOut.joined(separator: ", "))"]
        return [first] + warnings + last
    }
}
