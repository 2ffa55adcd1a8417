import Foundation
import Shared
import Testing

/// The offset at which a follower has to drop bytes that a power loss removed from the log.
@Suite struct ClaimCutTests {
    private func claims(_ offsets: Int...) -> [Claim] {
        offsets.enumerated().map { index, offset in
            Claim(
                number: index + 1, pod: "p", launch: "l", lineage: "l", logStart: offset, stream: "s\(index + 1)",
                processes: [], claimed: Date(timeIntervalSince1970: 0))
        }
    }

    @Test(
        "a follower's bytes are cut at the next attempt's first offset if the follower has more",
        arguments: [
            ("s1", 100, nil), ("s1", 101, 100), ("s1", 150, 100), ("s2", 150, nil), ("s2", 201, 200),
            ("s3", 999, nil), ("other", 150, nil), (nil, 150, nil),
        ] as [(String?, Int, Int?)])
    func cut(stream: String?, end: Int, expected: Int?) {
        #expect(claims(0, 100, 200).cut(of: stream, before: end) == expected)
    }

    /// Each power loss removes unsynced bytes, and a later one may remove more than an earlier one.
    @Test("a follower's bytes are cut at the lowest first offset of all later attempts")
    func lowestCut() {
        #expect(claims(0, 100, 80).cut(of: "s1", before: 90) == 80)
        #expect(claims(0, 100, 80).cut(of: "s1", before: 80) == nil)
        #expect([Claim]().cut(of: "s1", before: 80) == nil)
    }
}
