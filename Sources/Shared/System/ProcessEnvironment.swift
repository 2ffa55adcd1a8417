#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The environment variables of this process, environ(7).
public enum ProcessEnvironment {
    public static var all: [String: String] {
        var found: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { found[String(pair[0])] = String(pair[1]) }
            entry += 1
        }
        return found
    }
}
