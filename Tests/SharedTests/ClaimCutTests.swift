import Foundation
import Shared
import Testing

/// Where a follower of an earlier attempt has bytes that the log has not.
@Suite struct ClaimCutTests {
    private func claims(_ offsets: Int...) -> [Claim] {
        offsets.enumerated().map { index, offset in
            Claim(
                number: index + 1, pod: "p", launch: "l", lineage: "l", logStart: offset, stream: "s\(index + 1)",
                processes: [], claimed: Date(timeIntervalSince1970: 0))
        }
    }

    @Test(
        arguments: [
            ("s1", 100, nil), ("s1", 101, 100), ("s1", 150, 100), ("s2", 150, nil), ("s2", 201, 200),
            ("s3", 999, nil), ("other", 150, nil), (nil, 150, nil),
        ] as [(String?, Int, Int?)]) func cut(stream: String?, end: Int, expected: Int?)
    {
        #expect(claims(0, 100, 200).cut(of: stream, before: end) == expected)
    }

    /// Each power cut takes what was not synced, and a later one may take more than an earlier one.
    @Test func theLowestOfAllLaterOnes() {
        #expect(claims(0, 100, 80).cut(of: "s1", before: 90) == 80)
        #expect(claims(0, 100, 80).cut(of: "s1", before: 80) == nil)
        #expect([Claim]().cut(of: "s1", before: 80) == nil)
    }
}
