import Shared
import Testing

@testable import Agent

@Suite struct ByteRangeTests {
    private static let ranges: [(String, Range<Int>)] = [
        ("bytes=0-", 0..<100), ("bytes=99-", 99..<100), ("bytes=0-0", 0..<1), ("bytes=10-19", 10..<20),
        ("bytes=10-99", 10..<100), ("bytes=10-100", 10..<100), ("bytes=10-9223372036854775807", 10..<100),
        ("bytes=-1", 99..<100), ("bytes=-100", 0..<100), ("bytes=-101", 0..<100),
        ("bytes=-9223372036854775807", 0..<100),
    ]

    @Test("a range header gives the bytes that it names, cut off at the ends of the log", arguments: ranges)
    func satisfiable(_ header: String, _ range: Range<Int>) throws {
        #expect(try ByteRange.parse(header, end: 100) == range)
    }

    @Test(
        "a header that is not a single byte range is ignored",
        arguments: [nil, "", "bytes", "lines=1-2", "bytes=0-1,5-6", "Bytes 0-1", "bytes=1"])
    func ignored(_ header: String?) throws {
        #expect(try ByteRange.parse(header, end: 100) == nil)
    }

    @Test(
        "a range that is malformed or beyond the end of the log is an error",
        arguments: [
            "bytes=100-", "bytes=100-200", "bytes=-0", "bytes=-", "bytes=5-4", "bytes=a-", "bytes=-a", "bytes=1-a",
            "bytes=a-1", "bytes= 1-2", "bytes=--1", "bytes=9223372036854775808-",
        ])
    func notSatisfiable(_ header: String) {
        #expect(throws: APIError.self) { try ByteRange.parse(header, end: 100) }
    }

    @Test("an empty log can satisfy no range", arguments: ["bytes=0-", "bytes=-1", "bytes=0-0"])
    func emptyLog(_ header: String) {
        let error = #expect(throws: APIError.self) { try ByteRange.parse(header, end: 0) }
        #expect(error?.code == .rangeNotSatisfiable)
    }
}
