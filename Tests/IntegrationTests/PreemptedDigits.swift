import FoundationEssentials
import Glibc
import Shared
import TestSupport
import Testing

/// A run of the digits example. The test takes its pods away one after the other and notes the cost of each time.
final class PreemptedDigits {
    let site: Site
    private(set) var costs: [PreemptionCost] = []
    private let folder: RunFolder
    private var pod: Pod?

    /// A pod that `launch run` started, or that the test started again without it.
    private struct Pod {
        var started: Running
        /// The pid of its `init`.
        var first: Int32
        var isLaunched: Bool

        var processes: [Int32] { [first] + ProcessStat.descendants(of: first).map(\.pid) }
        var serve: Int32? { ProcessStat.descendants(of: first).first { $0.parent == first }?.pid }
        /// The processes that `serve` started.
        var training: [Int32] { serve.map { ProcessStat.descendants(of: $0).map(\.pid) } ?? [] }
    }

    init(at site: Site) throws {
        self.site = site
        folder = try site.folder("digits")
    }

    /// The number of the present pod's attempt, or of the next one if there is no pod.
    private var attempt: Int { costs.count + 1 }

    var attempts: [AttemptRecord] {
        get throws { try folder.claims().compactMap { try folder.readRecord($0.number) } }
    }

    // MARK: A pod's life

    /// Starts the run as a user does. Returns once it trains.
    func launch() async throws {
        let typed = Date()
        let client = try site.launch("run", environment: ["POD_AGENT": try recordingAgent()])
        let record = try await trains(client)
        pod = Pod(started: client, first: try await site.pod(of: "digits")[0], isLaunched: true)
        let began = try #require(record.began(.training))
        print("timing: launch run to the training, environment found again: \(began.timeIntervalSince(typed)) s")
        try await client.prints("(reused)\n")
        if costs.isEmpty { #expect(began.timeIntervalSince(typed) < 4, "2 s on a quiet machine") }
    }

    /// Starts the pod again as a container runtime does: same program, same variables, and as PID 1 if that is allowed.
    private func startAgain(_ environment: [String: String]) async throws {
        let unshare = Namespaces.unshare.map { $0 + ["--mount-proc"] }
        let started = try site.start((unshare ?? []) + [Programs.agent], environment: environment)
        _ = try await trains(started)
        let child = ProcessStat.descendants(of: started.pid).first { $0.parent == started.pid }
        pod = Pod(
            started: started, first: unshare == nil ? started.pid : try #require(child).pid, isLaunched: false)
    }

    private func trains(_ started: Running) async throws -> AttemptRecord {
        let record = try await eventually("attempt \(attempt) in training; \(started.errors)") {
            try folder.readRecord(attempt).flatMap { $0.state == .training ? $0 : nil }
        }
        if let last = costs.indices.last { costs[last].resumedAt = record.resumedFrom?.step ?? 0 }
        return record
    }

    /// Waits for `moment`, takes the pod away, and starts the run again. Returns once it trains.
    func takeAway(by preemption: Preemption, at moment: PreemptionMoment) async throws {
        let pod = try #require(pod)
        let environment = try podEnvironment()
        try await comes(to: moment)
        if moment.isInSave || !preemption.isGentle { try await freeze(pod, inSave: moment.isInSave) }
        var cost = PreemptionCost(preemption: preemption, wasInSave: moment.isInSave)
        try await end(pod, by: preemption)
        cost.step = try step(of: attempt)
        #expect(isBetweenSaves, "\(preemption.rawValue) tore a checkpoint")
        let record = try #require(try folder.readRecord(attempt))
        #expect(record.outcome?.kind == (preemption.isGentle ? .interrupted : nil))
        cost.savedOnSignal = record.death?.savedOnSignal
        let newest = checkpoints.last ?? 0
        self.pod = nil
        costs.append(cost)
        if preemption == .restarted { try await startAgain(environment) } else { try await launch() }
        #expect(costs.last?.resumedAt == newest)
    }

    /// Waits until the training has ended by itself.
    func finishes() async throws {
        let pod = try #require(pod)
        try await eventuallyTrue("the training's end; \(pod.started.errors)", within: .seconds(120)) {
            try noteCaughtUp()
            return try folder.readRecord(attempt)?.state == .ended
        }
        #expect(try await pod.started.end(within: .seconds(10)) == 0)
    }

    // MARK: The moment

    private func comes(to moment: PreemptionMoment) async throws {
        let began = try folder.readRecord(attempt)?.resumedFrom?.step ?? 0
        try await eventuallyTrue("step \(began + moment.steps)", within: .seconds(60)) {
            try noteCaughtUp()
            return try step(of: attempt) >= began + moment.steps
        }
        // A random moment has no condition to wait for.
        try await Task.sleep(for: moment.later)
        try noteCaughtUp()
    }

    /// Notes the time for each preemption whose lost steps the training has done again by now.
    private func noteCaughtUp() throws {
        let step = try step(of: attempt)
        for index in costs.indices where costs[index].seconds == nil && step >= costs[index].step {
            costs[index].seconds = costs[index].began.duration(to: .now) / .seconds(1)
        }
    }

    /// The last step that the training of `attempt` has printed, else the step at which it began.
    private func step(of attempt: Int) throws -> Int {
        guard let record = try folder.readRecord(attempt) else { return 0 }
        let log = try site.log("digits").dropFirst(record.logStart).text
        let printed = log.split(separator: "\n").last { $0.hasPrefix("step ") }?.split(separator: " ")[1]
        return printed.flatMap { Int($0) } ?? record.resumedFrom?.step ?? 0
    }

    private func end(_ pod: Pod, by preemption: Preemption) async throws {
        let processes = pod.processes
        switch preemption {
        case .preempted, .restarted:
            kill(pod.first, SIGTERM)
            for process in pod.training { kill(process, SIGCONT) }
            // All are gone before the SIGKILL that comes after 5 s.
            try await site.isGone(processes, within: .seconds(5))
        case .powerCut:
            for process in processes { kill(process, SIGSTOP) }
            for process in processes { kill(process, SIGKILL) }
        case .serveKilled: kill(try #require(pod.serve), SIGKILL)
        }
        try await site.isGone(processes)
        let code = try await pod.started.end(within: .seconds(6))
        #expect(code == (preemption.isGentle ? 143 : pod.isLaunched ? 70 : 137), "\(pod.started.errors)")
    }

    // MARK: Checkpoints

    /// Stops the training inside a save or between two saves, so that the next SIGKILL hits it there.
    private func freeze(_ pod: Pod, inSave: Bool) async throws {
        let training = try await eventually("a training") { pod.training.isEmpty ? nil : pod.training }
        try await site.freeze(training, at: "a training inside a save: \(inSave)") { isBetweenSaves != inSave }
    }

    /// The steps of all checkpoints, whole or not. An empty folder is not yet a checkpoint.
    private var checkpoints: [Int] {
        let path = "\(folder.work)/checkpoints"
        let names = ((try? File.list(path)) ?? []).filter { (try? File.list("\(path)/\($0)").isEmpty) == false }
        return names.compactMap { $0.split(separator: "-").last.flatMap { Int($0) } }.sorted()
    }

    /// Whether the newest checkpoint is complete. The training writes its state last and in one piece.
    private var isBetweenSaves: Bool {
        struct State: Decodable { var step: Int }
        guard let newest = checkpoints.last else { return true }
        let state = try? File.read("\(folder.work)/checkpoints/checkpoint-\(newest)/state.json")
        return state.flatMap { try? JSON.decode(State.self, from: $0) }?.step == newest
    }

    /// Makes a program that writes down its variables and becomes the agent, which wipes its own from its memory.
    private func recordingAgent() throws -> String {
        try site.write(
            "recording-agent", "#!/bin/sh\nenv -0 > \"$SITE/environment\"\nexec \(Programs.agent) \"$@\"\n",
            executable: true)
        return "\(site.root)/recording-agent"
    }

    /// The variables with which `launch` started the last pod.
    private func podEnvironment() throws -> [String: String] {
        let entries = try File.read("\(site.root)/environment").split(separator: 0).map { Array($0).text }
        return Dictionary(
            entries.compactMap { entry in
                entry.firstIndex(of: "=").map { (String(entry[..<$0]), String(entry[entry.index(after: $0)...])) }
            }
        ) { first, _ in first }
    }
}
