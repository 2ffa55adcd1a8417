#if canImport(CryptoKit)
private import CryptoKit
private import struct Foundation.Data
#else
private import CCrypto
#endif

/// Computes a SHA-256. `update` takes bytes; `finish` returns the digest, once.
public struct SHA256Hasher: ~Copyable {
    #if canImport(CryptoKit)
    private var state = CryptoKit.SHA256()

    public init() {}

    public mutating func update(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }

    public consuming func finish() -> SHA256Digest { SHA256Digest(bytes: Array(state.finalize())) }
    #else
    private let context: OpaquePointer?

    public init() {
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    public consuming func finish() -> SHA256Digest {
        var digest = [UInt8](repeating: 0, count: SHA256Digest.size)
        EVP_DigestFinal_ex(context, &digest, nil)
        return SHA256Digest(bytes: digest)
    }
    #endif

    public mutating func update(_ bytes: some Sequence<UInt8>) {
        Array(bytes).withUnsafeBytes { update($0) }
    }
}

/// The 32 bytes of a SHA-256.
public struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
    static let size = 32

    public let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    public init(of bytes: some Sequence<UInt8>) {
        var hasher = SHA256Hasher()
        hasher.update(bytes)
        self = hasher.finish()
    }

    public init(of text: String) { self.init(of: text.utf8) }

    /// HMAC-SHA256 of `message` under `key`, RFC 2104.
    public init(authenticating message: some Sequence<UInt8>, key: [UInt8]) {
        let block = 64  // bytes, the block size of SHA-256
        var padded = key.count > block ? SHA256Digest(of: key).bytes : key
        padded += [UInt8](repeating: 0, count: block - padded.count)
        let inner = SHA256Digest(of: padded.map { $0 ^ 0x36 } + Array(message))
        self.init(of: padded.map { $0 ^ 0x5c } + inner.bytes)
    }

    /// Lower-case hexadecimal, 64 characters.
    public var description: String { bytes.hexadecimal }

    /// Whether both are equal. The time it takes does not depend on the position of a difference.
    public func matches(_ other: SHA256Digest) -> Bool {
        zip(bytes, other.bytes).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    public init?(hexadecimal text: String) {
        guard let bytes = [UInt8](hexadecimal: text), bytes.count == Self.size else { return nil }
        self.init(bytes: bytes)
    }
}

extension [UInt8] {
    public var hexadecimal: String {
        let digits = Array<Character>("0123456789abcdef")
        return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    init?(hexadecimal text: String) {
        let digits = text.map(\.hexDigitValue)
        guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
        let values = digits.compactMap { $0 }
        self = stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    /// Returns `count` bytes of the system's random number generator.
    public static func random(count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
