import Foundation
import Shared
import TestSupport
import Testing

@Suite("the cost of a run", .serialized, .timeLimit(.minutes(2))) struct CostTests {
    /// An agent whose pod costs `price` USD per hour, by default a dollar a second.
    private func agent(_ site: Site, launch: String, price: Double = 3600, limit: Double) throws -> BareAgent {
        var agent = try BareAgent(at: site, command: .shell("echo trains; exec sleep 600"), launch: launch)
        agent.spec.launch.price = price
        agent.spec.launch.bought = Date()
        agent.spec.limits.cost = Money(dollars: limit)
        return agent
    }

    @Test("limits.cost ends a run once all its attempts together have cost that much")
    func limit() async throws {
        try await Site.with { site in
            // The pod was bought 4 s before the agent starts.
            var agent = try agent(site, launch: "launch-1", limit: 8)
            agent.spec.launch.bought = Date() - 4
            #expect(try await agent.start().end(within: .seconds(30)) == 143)
            let first = try #require(try agent.record(1))
            #expect(first.outcome?.kind == .overLimit)
            #expect(first.outcome?.message == "all attempts together cost limits.cost, 8.00 USD")
            let cost = try #require(first.cost)
            #expect(cost >= 8 && cost < 12, "\(cost)")
            let seconds = try #require(first.seconds)
            #expect(seconds < 6, "\(seconds)")
            #expect(try agent.log.contains("OVER-LIMIT: all attempts together cost limits.cost, 8.00 USD\n"))

            // The second pod costs twice as much. The cost of the first attempt stays as it was.
            agent = try self.agent(site, launch: "launch-2", price: 7200, limit: cost + 6)
            agent.pod = "pod-2"
            #expect(try await agent.start().end(within: .seconds(30)) == 143)
            let second = try #require(try agent.record(2))
            #expect(second.outcome?.kind == .overLimit)
            let more = try #require(second.cost)
            #expect(more >= 6 && more < 12, "\(more)")
            #expect(try abs(#require(second.bill).cost(after: #require(second.seconds)) - more) < 0.001)

            // The first two attempts used up the limit.
            agent = try self.agent(site, launch: "launch-3", limit: cost)
            agent.pod = "pod-3"
            _ = try await agent.start().end(within: .seconds(30))
            #expect(try agent.record(3)?.outcome?.kind == .overLimit)
            #expect(try agent.record(3)?.began(.training) == nil)

            let status = try await site.status("bare")
            #expect(status.attempts.compactMap(\.cost).count == 3)
            let text = try site.launch("status", "bare")
            try await text.check()
            #expect(text.text.contains("\ncost "))
        }
    }

    @Test("the log says that limits.cost cannot be kept if the pod's price is unknown")
    func unknownPrice() async throws {
        try await Site.with { site in
            var agent = try BareAgent(at: site, command: .shell("true"))
            agent.spec.limits.cost = Money(dollars: 1)
            #expect(try await agent.start().end(within: .seconds(30)) == 0)
            #expect(try agent.log.contains("\nWARNING: limits.cost has no effect: the price of this pod is unknown\n"))
            #expect(try agent.record(1)?.cost == nil)
        }
    }
}
