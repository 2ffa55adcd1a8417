internal import Shared

extension File {
    /// Returns the first of `path`, `path.2`, `path.3` … that does not exist.
    static func free(_ path: String) -> String {
        if status(path) == nil { return path }
        var number = 2
        while status("\(path).\(number)") != nil { number += 1 }
        return "\(path).\(number)"
    }
}
