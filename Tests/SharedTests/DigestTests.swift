import Testing

@testable import Shared

@Suite struct DigestTests {
    /// FIPS 180-2, appendix B, and NIST's example of a million letters.
    private static let published: [(String, String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test("SHA-256 matches the published test vectors", arguments: published)
    func vectors(_ text: String, _ digest: String) {
        #expect(SHA256Digest(of: text).description == digest)
    }

    @Test("a SHA-256 digest does not depend on how its input is split")
    func pieces() {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        for size in [1, 63, 64, 65, 4096, 99_999] {
            var hasher = SHA256Hasher()
            for start in stride(from: 0, to: bytes.count, by: size) {
                hasher.update(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(hasher.finish() == SHA256Digest(of: bytes))
        }
    }

    struct Authentication: Sendable {
        var key: [UInt8]
        var message: [UInt8]
        var code: String
    }

    /// RFC 4231, 4.2 to 4.8. The fifth vector is a truncated code.
    private static let authentications: [Authentication] = [
        .init(
            key: Array(repeating: 0x0b, count: 20), message: Array("Hi There".utf8),
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        .init(
            key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        .init(
            key: Array(repeating: 0xaa, count: 20), message: Array(repeating: 0xdd, count: 50),
            code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        .init(
            key: Array(1...25), message: Array(repeating: 0xcd, count: 50),
            code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        .init(
            key: Array(repeating: 0x0c, count: 20), message: Array("Test With Truncation".utf8),
            code: "a3b6167473100ee06e0c796c2955552b"),
        .init(
            key: Array(repeating: 0xaa, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        .init(
            key: Array(repeating: 0xaa, count: 131),
            message: Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ]

    @Test("HMAC-SHA256 matches the test vectors of RFC 4231", arguments: authentications)
    func hmac(_ vector: Authentication) {
        let code = SHA256Digest(authenticating: vector.message, key: vector.key).description
        #expect(code.hasPrefix(vector.code))
    }

    @Test("a SHA-256 digest is read from 64 hexadecimal digits of either case and from nothing else")
    func hexadecimal() throws {
        let digest = SHA256Digest(of: "abc")
        #expect(SHA256Digest(hexadecimal: digest.description) == digest)
        #expect(SHA256Digest(hexadecimal: digest.description.uppercased()) == digest)
        let text = digest.description
        for bad in ["", "ab", String(text.dropLast()), text + "00", "zz" + text.dropFirst(2)] {
            #expect(SHA256Digest(hexadecimal: bad) == nil)
        }
    }

    @Test("a SHA-256 digest matches an equal one and none with a flipped bit")
    func matches() {
        let digest = SHA256Digest(of: "abc")
        #expect(digest.matches(SHA256Digest(of: "abc")))
        for index in 0..<32 {
            var bytes = digest.bytes
            bytes[index] ^= 1
            #expect(!digest.matches(SHA256Digest(bytes: bytes)))
        }
    }
}
