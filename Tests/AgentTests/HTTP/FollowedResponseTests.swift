import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct FollowedResponseTests {
    @Test func whatComesInTimeIsReturned() async throws {
        #expect(try await FollowedResponse.run(for: .seconds(3600)) { 7 } == 7)
    }

    @Test func whatDoesNotEndIsCancelled() async throws {
        let promise = Promise<Int>()
        let value = try await within(.seconds(60), "the limit") {
            try await FollowedResponse.run(for: .milliseconds(50)) { try await promise.valueUnlessCancelled }
        }
        #expect(value == nil)
    }

    @Test func anErrorIsTold() async throws {
        await #expect(throws: Problem.self) {
            _ = try await FollowedResponse.run(for: .seconds(3600)) { () async throws -> Int in throw Problem("no") }
        }
    }
}
