import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct FollowedResponseTests {
    @Test("a followed response that ends in time returns its value")
    func inTime() async throws {
        #expect(try await FollowedResponse.run(for: .seconds(3600)) { 7 } == 7)
    }

    @Test("a followed response that does not end in time is cancelled")
    func tooLong() async throws {
        let promise = Promise<Int>()
        let value = try await within(.seconds(60), "the limit") {
            try await FollowedResponse.run(for: .milliseconds(50)) { try await promise.valueUnlessCancelled }
        }
        #expect(value == nil)
    }

    @Test("an error in a followed response is thrown to its caller")
    func error() async throws {
        await #expect(throws: Problem.self) {
            _ = try await FollowedResponse.run(for: .seconds(3600)) { () async throws -> Int in throw Problem("no") }
        }
    }
}
