import Shared
import Testing

@testable import Launcher

/// Amounts, words and paths as people write them.
@Suite struct ConfigTextTests {
    @Test(
        "a duration is read from days, hours, minutes and seconds",
        arguments: [
            ("10s", 10), ("30m", 1_800), ("2h", 7_200), ("1d", 86_400), ("1h30m", 5_400), ("1d2h3m4s", 93_784),
            ("0s", 0),
            ("90m", 5_400), ("1d1s", 86_401),
        ])
    func durations(text: String, seconds: Int) { #expect(Duration(written: text) == .seconds(seconds)) }

    @Test(
        "a text that is no duration is refused",
        arguments: [
            "", "10", "s", "1.5h", "10 s", "30m1h", "1h1h", "-1s", "1w", "10S", "99999999999999999999s",
            "9223372036854775807d", "1h30",
            "٣s", " 1s",
        ])
    func notDurations(text: String) { #expect(Duration(written: text) == nil) }

    @Test(
        "a size is read with any unit from B to TB",
        arguments: [
            ("8MB", 8 << 20), ("4GB", 4 << 30), ("512 kB", 512 << 10), ("1MiB", 1 << 20), ("2tb", 2 << 40), ("7B", 7),
        ])
    func sizes(text: String, bytes: Int) { #expect(SizeText.bytes(text) == bytes) }

    @Test(
        "a text that is no size is refused",
        arguments: ["", "8", "MB", "1.5GB", "8  MB", "-1MB", "8M", "99999999TB", "1IB", "8 mb "])
    func notSizes(text: String) { #expect(SizeText.bytes(text) == nil) }

    @Test(
        "an amount of gigabytes is read with or without \"GB\"",
        arguments: [("50", 50), ("50GB", 50), ("50 GB", 50), ("50gb", 50)])
    func gigabytes(text: String, count: Int) {
        #expect(SizeText.gigabytes(text) == count)
    }

    @Test("a text that is no amount of gigabytes is refused", arguments: ["50MB", "", "GB", "50.5", "50 "])
    func notGigabytes(text: String) {
        #expect(SizeText.gigabytes(text) == nil)
    }

    @Test(
        "an amount of dollars is read to the millionth",
        arguments: [("2", 2_000_000), ("2.50", 2_500_000), ("$0.00045", 450), ("0.000001", 1)])
    func money(text: String, micros: Int) { #expect(Money(written: text)?.micros == micros) }

    @Test(
        "a text that is no amount of dollars is refused",
        arguments: ["", "$", "-1", "1.", ".5", "1,5", "1e3", "0.0000001", "99999999999", "2 USD"])
    func notMoney(text: String) { #expect(Money(written: text) == nil) }

    @Test(
        "a misspelt word finds the nearest known word, and a very different one finds none",
        arguments: [
            ("comand", "command"), ("Command", "command"), ("cmomand", "command"), ("resum", "resume"), ("xyz", nil),
            ("", nil),
            ("tty", "tty"), ("tyt", "tty"),
        ])
    func nearest(word: String, expected: String?) {
        #expect(["run", "command", "resume", "tty"].nearest(to: word) == expected)
    }

    @Test(
        "a normalized path has no \".\" and no double slash, and \"..\" only at its start",
        arguments: [
            ("/a/./b//c/", "/a/b/c"), ("/a/../../b", "/b"), ("a/..", "."), ("../a/../..", "../.."), (".", "."),
            ("/", "/"),
            ("./a", "a"),
        ])
    func normalized(path: String, expected: String) { #expect(path.normalized == expected) }

    @Test(
        "a config's path is resolved against its folder or the user's home",
        arguments: [
            ("~", "/home/me"), ("~/x", "/home/me/x"), ("x", "/p/x"), ("../x", "/x"), ("/x", "/x"), (".", "/p"),
            ("~joe", nil),
        ])
    func resolved(path: String, expected: String?) {
        #expect(Paths(folder: "/p", environment: ["HOME": "/home/me"]).resolve(path) == expected)
    }

    @Test("a path with \"~\" cannot be resolved if HOME is not set")
    func tildeWithoutHome() { #expect(Paths(folder: "/p", environment: [:]).resolve("~/x") == nil) }

    @Test(
        "a path is inside a folder if it stays there after normalization",
        arguments: [("/v", true), ("/v/a", true), ("/va", false), ("/v/../x", false), ("/", false)])
    func inside(path: String, expected: Bool) { #expect(path.isInside("/v") == expected) }
}
