#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Files and folders that usually hold secrets. They are never packed, even if git tracks them.
enum NeverPacked {
    /// Patterns as in fnmatch(3) for one component of a path, in lower case.
    private static let patterns = [
        ".env*", ".runpod.env",
        "*.pem", "*.key", "*.p12", "*.pfx", "*.ppk", "*.jks", "*.keystore",
        "id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk",
        ".netrc", "_netrc", ".pypirc", ".pgpass", ".git-credentials", "kaggle.json",
        ".ssh", ".aws", ".gnupg",
    ]

    /// Returns the beginning of `path` up to the first such name; nil if there is none. A folder keeps its slash.
    static func part(of path: String) -> String? {
        let bytes = Array(path.utf8)
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
            let name = String(decoding: bytes[start..<end], as: UTF8.self).lowercased()
            if patterns.contains(where: { fnmatch($0, name, 0) == 0 }) {
                return String(decoding: bytes[..<min(end + 1, bytes.count)], as: UTF8.self)
            }
            start = end + 1
        }
        return nil
    }
}
