#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The environment variables of this process, environ(7), as `ByteText`.
public enum ProcessEnvironment {
    public static var all: [String: String] {
        var found: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let bytes = UnsafeRawBufferPointer(start: text, count: strlen(text))
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")) {
                found[ByteText.text(bytes[..<equals])] = ByteText.text(bytes[(equals + 1)...])
            }
            entry += 1
        }
        return found
    }

    /// Overwrites the values of variables in this process's memory, so that /proc/PID/environ does not show them,
    /// proc(5). `isPrivate` gets their names.
    public static func wipe(where isPrivate: (String) -> Bool) {
        var entry = environ
        while let text = entry.pointee {
            entry += 1
            guard let equals = strchr(text, Int32(UInt8(ascii: "="))) else { continue }
            let name = String(decoding: UnsafeRawBufferPointer(start: text, count: equals - text), as: UTF8.self)
            if isPrivate(name) { memset(equals + 1, 0, strlen(equals + 1)) }
        }
    }
}
