#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Strings for C: a null-terminated array of null-terminated texts, whose bytes are those of `ByteText`.
public enum CStrings {
    public static func with<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let pointers = texts.map { strdup(ByteText.bytes(of: $0).map { CChar(bitPattern: $0) } + [0]) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }
}
