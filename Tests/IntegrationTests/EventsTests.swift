import HTTPClient
import Shared
import TestSupport
import Testing

/// curl follows `GET /v1/events` of a real agent.
@Suite(.serialized, .timeLimit(.minutes(2))) struct EventsTests {
    private struct Event {
        var name = ""
        var id = ""
        var data = ""

        /// Returns the events of the stream so far, and the number of its comments.
        static func parse(_ text: String) -> (events: [Event], comments: Int) {
            var events: [Event] = []
            var comments = 0
            for block in text.split(separator: "\n\n") {
                var event = Event()
                for line in block.split(separator: "\n") {
                    if line.hasPrefix(":") { comments += 1 }
                    if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                    if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                    if line.hasPrefix("data: ") { event.data = String(line.dropFirst(6)) }
                }
                if event.name != "" { events.append(event) }
            }
            return (events, comments)
        }

        var change: AttemptChange { get throws { try JSON.decode(AttemptChange.self, from: data.utf8) } }
        var status: StatusReport { get throws { try JSON.decode(StatusReport.self, from: data.utf8) } }
    }

    private func curl(_ site: Site, _ live: LiveAgent, lastID: String? = nil) throws -> Running {
        try site.start(
            ["curl", "-sSN", "-H", "Authorization: Bearer \(live.token)", "\(live.address)/v1/events"]
                + (lastID.map { ["-H", "Last-Event-ID: \($0)"] } ?? []))
    }

    @Test("/v1/events sends every change until the end, and a resumed follower gets only the changes that it missed")
    func changes() async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site,
                command: .shell(
                    """
                    until [ -e "$SITE/go" ]; do sleep 0.02; done
                    echo step 5
                    until [ -e "$SITE/end" ]; do sleep 0.02; done
                    """))
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            try await eventuallyTrue("training") { try agent.record(1)?.state == .training }
            let follower = try curl(site, live)
            try await follower.prints("event: status")
            try site.open("go")
            try await follower.prints("\"step\":5")
            let middle = try #require(Event.parse(follower.text).events.last?.id)
            let second = try curl(site, live, lastID: middle)
            try await second.prints("retry: ")
            try site.open("end")
            try await running.check()
            try await follower.check()
            try await second.check()

            let events = Event.parse(follower.text).events
            let first = try #require(events.first)
            #expect(first.name == "status")
            #expect(try first.status.attempt.state == .training)
            #expect(events.dropFirst().allSatisfy { $0.name == "change" })
            let changes = try events.dropFirst().map { try $0.change }
            #expect(changes.compactMap(\.state) == [.finishing, .ended])
            #expect(changes.compactMap(\.outcome).last?.kind == .finished)
            #expect(Set(events.map(\.id)).count == events.count)
            #expect(events.allSatisfy { $0.id.hasPrefix("1.") })
            // The resumed follower has every later event, and none twice.
            let rest = events.drop { $0.id != middle }.dropFirst()
            #expect(Event.parse(second.text).events.map(\.id) == rest.map(\.id))
        }
    }

    @Test("/v1/events continues over a retry, also for a follower whose Last-Event-ID is unknown")
    func retry() async throws {
        try await Site.with { site in
            var agent = try BareAgent(
                at: site,
                command: .shell(
                    """
                    [ -e "$SITE/once" ] && exit 0
                    until [ -e "$SITE/go" ]; do sleep 0.02; done
                    touch "$SITE/once"
                    exit 3
                    """))
            agent.spec.retry = RetryPolicy(crash: 1, backoff: .seconds(0.1))
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            let follower = try curl(site, live, lastID: "77.3")
            try await follower.prints("event: status")
            try site.open("go")
            try await running.check()
            try await follower.check()
            let events = Event.parse(follower.text).events
            #expect(events.filter { $0.name == "status" }.count == 1)
            let changes = try events.dropFirst().map { try $0.change }
            #expect(changes.contains { $0.attempt == 1 && $0.state == .waiting })
            #expect(changes.contains { $0.attempt == 1 && $0.next != nil })
            #expect(changes.contains { $0.attempt == 2 && $0.state == .claiming })
            #expect(changes.last?.attempt == 2 && changes.last?.state == .ended)
            #expect(changes.compactMap(\.outcome).map(\.kind).first == .failed)
        }
    }

    @Test("/v1/events refuses a request without the token and any method but GET")
    func refusals() async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: .shell("until [ -e \"$SITE/go\" ]; do sleep 0.02; done"))
            let running = try agent.start()
            let live = try await LiveAgent(agent)
            #expect(try await live.ask("GET", "/v1/events", token: nil).status == 401)
            #expect(try await live.ask("POST", "/v1/events").status == 405)
            try site.open("go")
            try await running.check()
        }
    }
}
