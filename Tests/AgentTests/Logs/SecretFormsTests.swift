import Shared
import TestSupport
import Testing

@testable import Agent

/// What a training may print of a secret besides its plain text. The printed texts come from Python's json, repr,
/// urllib.parse and base64, from `set -x` of bash, and from the tools base64 and xxd.
@Suite struct SecretFormsTests {
    private static let token = "s3cr3t/Tök'en\"+ \\x&9"
    private static let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAAS\n-----END KEY-----\n"

    private static func masked(_ text: String, _ secret: String) -> String { SecretMask([secret]).masking(text) }

    @Test(
        "a secret is masked in the forms in which programs escape it",
        arguments: [
            "s3cr3t/Tök'en\"+ \\x&9",
            #"s3cr3t/T\u00f6k'en\"+ \\x&9"#, #"s3cr3t/Tök'en\"+ \\x&9"#, #"s3cr3t\/T\u00f6k'en\"+ \\x&9"#,
            #"s3cr3t/Tök'en\"+ \\x\u00269"#,
            #"s3cr3t/Tök\'en"+ \\x&9"#, #"s3cr3t/T\xc3\xb6k\'en"+ \\x&9"#,
            #"s3cr3t/Tök'\''en"+ \x&9"#, #"s3cr3t/Tök\'en\"+\ \\x\&9"#,
            "s3cr3t/T%C3%B6k%27en%22%2B%20%5Cx%269", "s3cr3t%2FT%C3%B6k%27en%22%2B%20%5Cx%269",
            "s3cr3t%2FT%C3%B6k%27en%22%2B+%5Cx%269", "s3cr3t%2FT%C3%B6k'en%22%2B%20%5Cx%269",
            "s3cr3t%2fT%c3%b6k%27en%22%2b%20%5cx%269",
            "czNjcjN0L1TDtmsnZW4iKyBceCY5", "7333637233742f54c3b66b27656e222b205c782639",
            "7333637233742F54C3B66B27656E222B205C782639",
        ])
    func escapes(form: String) { #expect(Self.masked("<\(form)>", Self.token) == "<***>") }

    @Test(
        "a secret is masked in base64 at each of the three alignments, up to the bits that it shares with its neighbours",
        arguments: [
            // user:, me:, x: in front; then the same with more behind, and in the alphabet for URLs.
            ("dXNlcjpoZl8wMTIzNDU2Nzg5YWI=", "dXNlcjp***"), ("bWU6aGZfMDEyMzQ1Njc4OWFi", "bWU6***"),
            ("eDpoZl8wMTIzNDU2Nzg5YWI=", "eDp***"), ("eDpoZl8wMTIzNDU2Nzg5YWI6eA==", "eDp***I6eA=="),
        ])
    func alignments(text: String, expected: String) {
        #expect(Self.masked(text, "hf_0123456789ab") == expected)
    }

    @Test("a base64 text for URLs is masked like one for files")
    func urlAlphabet() {
        #expect(Self.masked("Pz8_Pj4-YWFhYWFh", "???>>>aaaaaa") == "***")
        #expect(Self.masked("Pz8/Pj4+YWFhYWFh", "???>>>aaaaaa") == "***")
    }

    @Test("a secret of several lines is masked as a whole, line by line, and as one escaped line")
    func lines() {
        #expect(Self.masked("<\(Self.key)>", Self.key) == "<***\n>")
        #expect(Self.masked("kiG9w0BAQEFAAS", Self.key) == "***")
        #expect(Self.masked("  MIIEvQIBADANBgkqh  # 2", Self.key) == "  ***  # 2")
        #expect(Self.masked(String(Self.key.dropLast()).replacing("\n", with: "\\n"), Self.key) == "***")
        #expect(Self.masked(Self.key.replacing("\n", with: "\r\n"), Self.key) == "***\r\n")
    }

    @Test("base64 of a long secret is masked although the tool breaks its lines")
    func brokenBase64() {
        let secret = (0..<60).map { "\($0)" }.joined(separator: ".")
        let text = """
            MC4xLjIuMy40LjUuNi43LjguOS4xMC4xMS4xMi4xMy4xNC4xNS4xNi4xNy4xOC4xOS4yMC4yMS4y
            Mi4yMy4yNC4yNS4yNi4yNy4yOC4yOS4zMC4zMS4zMi4zMy4zNC4zNS4zNi4zNy4zOC4zOS40MC40
            MS40Mi40My40NC40NS40Ni40Ny40OC40OS41MC41MS41Mi41My41NC41NS41Ni41Ny41OC41OQ==
            """
        #expect(Self.masked(text, secret) == "***\n***\n***")
    }

    @Test("a secret with blanks at its ends is masked with and without them")
    func blanks() {
        #expect(Self.masked("<  hf_12345678 >", "  hf_12345678 ") == "<***>")
        #expect(Self.masked("<hf_12345678>", "  hf_12345678 ") == "<***>")
    }

    @Test("text that only resembles a form of a secret stays")
    func others() {
        #expect(Self.masked("s3cr3t/T", Self.token) == "s3cr3t/T")
        #expect(Self.masked("-----BEGIN\n", Self.key) == "-----BEGIN\n")
        #expect(Self.masked("1234567 31323334353637", "1234567") == "1234567 31323334353637")
    }
}
