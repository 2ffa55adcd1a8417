import Glibc
import Shared
import TestSupport
import Testing

/// Two agents start at the same instant on one volume.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SimultaneousAgentsTests {
    @Test(
        "one of two agents trains and the other waits for its end if both start at once",
        arguments: 1...Rounds.count(3, full: 50))
    func oneOwner(round: Int) async throws {
        try await Site.with { site in
            try await Twins(at: site, volumes: ["\(site.home)/volume", "\(site.home)/volume"]).check { try $0.start() }
        }
    }

    /// A pod that waits costs as much as one that trains.
    @Test("limits.setup ends an agent that waits too long for another pod that owns the run")
    func waitLimit() async throws {
        try await Site.with { site in
            let owner = try BareAgent(
                at: site, command: .shell("echo trains; until [ -e \"$SITE/go\" ]; do sleep 0.02; done"))
            let ownerPod = try owner.start()
            try await eventuallyTrue("a training") { try owner.log.contains("trains\n") }
            var other = owner
            other.pod = "pod-2"
            other.endpoint += "-2"
            other.spec.launch = LaunchOrder(id: "launch-2")
            other.spec.limits.setup = .seconds(1.5)
            let pod = try other.start()
            #expect(try await pod.end(within: .seconds(10)) == 73)
            #expect(pod.errors.contains("limits.setup, 1 s: the run could not be claimed\n"), "\(pod.errors)")
            try site.open("go")
            try await ownerPod.check()
            #expect(try owner.folder.claims().map(\.pod) == ["pod-1"])
        }
    }
}

/// Two agents for one run. `volumes` are the paths at which they see the same volume.
struct Twins {
    let site: Site
    private var agents: [BareAgent]

    init(at site: Site, volumes: [String]) throws {
        self.site = site
        agents = try zip(["pod-1", "pod-2"], volumes).map { pod, volume in
            var agent = try BareAgent(
                at: site, run: "twins",
                command: .shell(
                    """
                    mkdir "$SITE/training" || exit 9
                    echo "trains for $POD"
                    until [ -e "$SITE/go" ]; do sleep 0.02; done
                    rmdir "$SITE/training"
                    """),
                launch: "launch-of-\(pod)", volume: volume)
            agent.pod = pod
            agent.endpoint = "\(site.root)/\(pod)"
            agent.spec.env = ["POD": pod]
            return agent
        }
    }

    func check(start: (BareAgent) throws -> Running) async throws {
        // The order is random, so neither has an advantage.
        let isFirstFirst = Bool.random()
        let started = try (isFirstFirst ? agents : agents.reversed()).map(start)
        let pods = isFirstFirst ? started : started.reversed()
        let owner = try await eventually("one that trains") {
            try agents[0].record(1).flatMap { $0.state == .training ? $0.pod : nil }
        }
        let (trainer, waiter) = owner == "pod-1" ? (pods[0], pods[1]) : (pods[1], pods[0])
        try await eventuallyTrue("one that waits") {
            waiter.errors.contains("waiting for pod \(owner), which owns attempt 1")
        }
        #expect(!trainer.errors.contains("waiting for"))
        #expect(try agents[0].folder.claims().count == 1)
        try await eventuallyTrue("its line") { try agents[0].log.contains("trains for \(owner)\n") }
        #expect(try agents[0].log.ranges(of: "trains for pod-").count == 1)

        try site.open("go")
        try await trainer.check()
        try await waiter.check()
        #expect(try agents[0].folder.claims().map(\.number) == [1, 2])
        #expect(try agents[0].record(1)?.outcome?.kind == .finished)
        #expect(try agents[0].record(2)?.outcome?.kind == .finished)
        // The bytes of the second attempt do not overwrite those of the first.
        #expect(try agents[0].log.ranges(of: "\nEXIT_CODE=0\n").count == 2)
    }
}
