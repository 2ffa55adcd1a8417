import HTTPClient
import Shared
import TestSupport
import Testing

@Suite("followed responses end after a minute", .timeLimit(.minutes(3))) struct MinuteTests {
    /// The two checks run at once, because each takes a minute.
    @Test("a followed response ends after a minute, also for a slow reader, and launch continues without a gap")
    func end() async throws {
        async let following: Void = launchContinues()
        async let behind: Void = slowReader()
        _ = try await (following, behind)
    }

    private func launchContinues() async throws {
        try await Site.with { site in
            try site.config(
                "run: long\ncommand: echo started; until [ -e \"$SITE/go\" ]; do sleep 0.1; done; echo went on\n")
            let launch = try site.launch("run")
            try await launch.prints("started\n")
            let status = try await site.status("long")
            let address = try #require(status.pod?.address)
            // The token is the HMAC of the launch id with the key of this home.
            let key = try File.read("\(site.home)/key")
            let token = SHA256Digest(authenticating: try #require(status.attempts.first).launch.utf8, key: key)
                .description
            let start = ContinuousClock.now
            let response = try await CurlTransport().send(
                HTTPRequest(
                    "GET", "\(address)/v1/log?follow=1&from=0", headers: [("Authorization", "Bearer \(token)")],
                    timeouts: HTTPTimeouts(idle: .seconds(90), total: .seconds(90))))
            let lasted = start.duration(to: .now)
            #expect(lasted > .seconds(59) && lasted < .seconds(63))
            #expect(response.body == launch.output)
            // The response that `launch` followed began earlier, so it has ended too.
            try site.open("go")
            try await launch.check()
            #expect(launch.text.hasSuffix("started\nwent on\nEXIT_CODE=0\n"))
            #expect(launch.output == (try site.log("long")))
            #expect(!launch.errors.contains("does not answer"))
        }
    }

    /// The reader is so far behind that the agent always has more to send.
    private func slowReader() async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site, command: .shell("head -c 400000000 /dev/zero; until [ -e \"$SITE/go\" ]; do sleep 0.1; done"))
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            let start = ContinuousClock.now
            let curl = try site.start([
                "curl", "-sSN", "--limit-rate", "2M", "-H", "Authorization: Bearer \(live.token)", "-o", "got",
                "\(live.address)/v1/log?follow=1&from=0",
            ])
            // The end is clean, else curl fails.
            #expect(try await curl.end(within: .seconds(100)) == 0)
            let lasted = start.duration(to: .now)
            #expect(lasted > .seconds(59) && lasted < .seconds(80))
            let got = try File.read("\(site.project)/got")
            #expect(got.count < 400_000_000)
            #expect(got.elementsEqual(try site.log("bare").prefix(got.count)))
            try site.open("go")
            try await running.check()
        }
    }
}
