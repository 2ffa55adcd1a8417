import Shared
import Testing

@Suite struct ByteTextTests {
    @Test("text gives back the bytes that it was made of, UTF-8 or not")
    func roundTrip() {
        var random = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x80, 0xff]
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                alphabet[.random(in: alphabet.indices, using: &random)]
            }
            #expect(ByteText.bytes(of: ByteText.text(bytes)) == bytes)
        }
        #expect(ByteText.text(Array("pässword €".utf8)) == "pässword €")
    }

    @Test("a variable reaches a child with the bytes that it has, UTF-8 or not")
    func cStrings() {
        let bytes: [UInt8] = [0x41, 0x3d, 0xe4, 0xff, 0x62]
        let copied = CStrings.with([ByteText.text(bytes)]) { texts in
            texts[0].map { text in (0..<6).map { UInt8(bitPattern: text[$0]) } }
        }
        #expect(copied == bytes + [0])
    }
}
