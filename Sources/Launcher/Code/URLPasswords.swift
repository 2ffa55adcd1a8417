#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Passwords in URLs, as in `https://user:password@host/`.
enum URLPasswords {
    /// The longest user and password that are found, in bytes with the `//` before them.
    static let maxLength = 256

    /// Texts that stand for a password in examples, in lower case.
    private static let examples: Set = [
        "password", "passwd", "pass", "pwd", "pw", "secret", "token", "changeme", "user", "x", "xxx", "xxxx",
    ]

    /// Whether a URL in `bytes` has a password. The `@` after it is at `start` or later.
    static func areIn(_ bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        var next = start
        while next < bytes.count, let found = memchr(base + next, Int32(UInt8(ascii: "@")), bytes.count - next) {
            let at = base.distance(to: UnsafeRawPointer(found))
            if let user = user(before: at, in: bytes), isPassword(user) { return true }
            next = at + 1
        }
        return false
    }

    /// Returns the text between the `//` of a URL and the `@` at the index `at`; nil if there is none.
    private static func user(before at: Int, in bytes: UnsafeRawBufferPointer) -> String? {
        var start = at
        while start > 0, at - start < maxLength, !isEnd(bytes[start - 1]) { start -= 1 }
        guard start >= 3, bytes[start - 3..<start].elementsEqual("://".utf8) else { return nil }
        return String(validating: bytes[start..<at], as: UTF8.self)
    }

    private static func isEnd(_ byte: UInt8) -> Bool { byte <= 0x20 || "/\"'`<>,".utf8.contains(byte) }

    /// Whether `user:password`, or a long user, is more than an example or the place for a value.
    private static func isPassword(_ user: String) -> Bool {
        if user.contains(where: "${}()[]*\\".contains) || user.contains("%s") { return false }
        guard let colon = user.firstIndex(of: ":") else {
            // Some hosts take a token for a user.
            return user.utf8.count >= 20 && user.contains(where: \.isNumber)
        }
        let password = user[user.index(after: colon)...]
        return !password.isEmpty && !examples.contains(password.lowercased())
    }
}
