import HTTPClient
import Shared
import TestSupport
import Testing

/// A followed response ends after a minute. Who follows with `launch` does not notice.
@Suite(.timeLimit(.minutes(3))) struct MinuteTests {
    /// Both at once: each takes its minute.
    @Test func aMinute() async throws {
        async let following: Void = followingGoesOnAfterAMinute()
        async let behind: Void = itEndsForOneThatIsBehindToo()
        _ = try await (following, behind)
    }

    private func followingGoesOnAfterAMinute() async throws {
        try await Site.with { site in
            try site.config(
                "run: long\ncommand: echo started; until [ -e \"$SITE/go\" ]; do sleep 0.1; done; echo went on\n")
            let launch = try site.launch("run")
            try await launch.prints("started\n")
            let status = try await site.status("long")
            let address = try #require(status.pod?.address)
            // The token is the launch's name under the key of this home.
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
            // The launcher's own response has ended too: it began earlier.
            try site.open("go")
            try await launch.check()
            #expect(launch.text.hasSuffix("started\nwent on\nEXIT_CODE=0\n"))
            #expect(launch.output == (try site.log("long")))
            #expect(!launch.errors.contains("does not answer"))
        }
    }

    /// One that is so far behind that there is always more to send.
    private func itEndsForOneThatIsBehindToo() async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site, command: .shell("head -c 150000000 /dev/zero; until [ -e \"$SITE/go\" ]; do sleep 0.1; done"))
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            let start = ContinuousClock.now
            let curl = try site.start([
                "curl", "-sSN", "--limit-rate", "2M", "-H", "Authorization: Bearer \(live.token)", "-o", "got",
                "\(live.address)/v1/log?follow=1&from=0",
            ])
            // A clean end: curl complains of one that is not.
            #expect(try await curl.end(within: .seconds(100)) == 0)
            let lasted = start.duration(to: .now)
            #expect(lasted > .seconds(59) && lasted < .seconds(80))
            let got = try File.read("\(site.project)/got")
            #expect(got.count < 150_000_000)
            #expect(got.elementsEqual(try site.log("bare").prefix(got.count)))
            try site.open("go")
            try await running.check()
        }
    }
}
