internal import HTTPClient
internal import RunPod
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Pods that are rented from RunPod.
struct RunPodProvider: Provider {
    let home: String
    let account: RunPodAccount
    let transport: any HTTPTransport
    /// From a purchase to the agent's first answer. A large image takes many minutes on a host that does not have it.
    var bootTimeout: Duration = .seconds(30 * 60)
    /// Without any news of RunPod about the pod. Clients of RunPod give up after 3 to 8 minutes.
    var stallTimeout: Duration = .seconds(8 * 60)
    /// Takes a sentence for the user.
    let warn: @Sendable (String) -> Void

    var name: ProviderName { .runpod }
    private var index: RunPodIndex { RunPodIndex(home: home) }

    func place(for resources: Resources) -> PodPlace {
        switch resources.volume {
        case .network(let id, let mount): .network(id: id, mount: mount)
        case .pod(_, let mount): .ownDisk(mount: mount)
        case .folder, nil: .ownDisk(mount: RunPodRules.mount)
        }
    }

    func offers(for order: PodOrder) async throws -> [Offer] {
        try await RunPodOffers(client: try account.client, order: order).all()
    }

    func create(_ order: PodOrder, at offer: Offer) async throws -> Pod {
        let client = try account.client
        let launch = order.spec.launch.id
        let order = order.bought(at: offer)
        let secrets = try await RunPodSecrets(client: client, warn: warn).keep(order)
        let body = try RunPodOrder(
            order: order, tokenDigest: try tokenDigest(launch), secrets: secrets
        ).creation(at: offer)
        defer { account.expire() }
        let name = RunPodName(run: order.spec.run, launch: launch)
        let rented = try await RunPodPurchase(client: client, name: name, ended: order.spec.launch.supersedes)
            .buy(body, offer)
        guard let pod = pod(rented) else { throw Problem("pod \"\(rented.id)\" has lost its name") }
        try index.remember(pod, body)
        return pod
    }

    /// Deletes the run's stopped pods on a network volume: they hold nothing.
    func settled(_ new: Pod) async {
        guard case .network = new.place, let client = try? account.client, let pods = try? await client.pods() else {
            return
        }
        for old in pods.compactMap(pod) where old.run == new.run && old.id != new.id {
            guard case .exited = old.state, old.place == new.place else { continue }
            try? await client.deletePod(old.id)
        }
    }

    /// Only a disk of its own is a reason to start the same pod again.
    func restarts(_ pod: Pod) -> Bool {
        guard case .exited = pod.state, case .ownDisk = pod.place else { return false }
        return true
    }

    func start(_ pod: Pod, with order: PodOrder) async throws -> Pod {
        let client = try account.client
        defer { account.expire() }
        var order = order
        let start = RunPodStart(client: client, pod: pod, count: order.resources.gpuCount)
        let bid = pod.isSpot ? try await start.bid() : nil
        if let price = bid.map({ $0 * Double(order.resources.gpuCount) }) ?? pod.price {
            order = order.bought(at: Offer(text: "", price: price))
        }
        let secrets = try await RunPodSecrets(client: client, warn: warn).keep(order)
        let body = RunPodOrder(
            order: order, tokenDigest: try tokenDigest(order.spec.launch.id), secrets: secrets)
        let name = RunPodName(run: order.spec.run, launch: order.spec.launch.id, isSpot: pod.isSpot)
        try await client.update(pod.id, name: name.description, env: try body.variables())
        try await start.perform(bid: bid)
        var started = pod
        started.launch = order.spec.launch.id
        try index.remember(started, nil)
        started.state = .provisioning("it starts")
        return started
    }

    func relaunch(_ pod: Pod) async throws -> Pod? {
        defer { account.expire() }
        let (rented, creation) = try await RunPodRelaunch(account: account, index: index, old: pod).start()
        guard let new = self.pod(rented) else { return nil }
        try index.remember(new, creation)
        return new
    }

    func preview(_ order: PodOrder, at offer: Offer) throws -> [UInt8] {
        let body = RunPodOrder(
            order: order.redacted, tokenDigest: "(SHA-256 of the launch's token)",
            secrets: RunPodSecrets.shown(order))
        return try JSON.encode(try body.creation(at: offer), pretty: true)
    }

    func pods() async throws -> [Pod] {
        guard account.isKnown else { return [] }
        let rented = try await account.pods()
        let duplicates = RunPodDuplicates.all(among: rented).map(\.id)
        for id in duplicates { await endDuplicate(id) }
        let listed = rented.filter { !duplicates.contains($0.id) }.compactMap(pod)
        // A stopped pod may stay beside the one that continues its run.
        return listed.filter(\.isRunning) + listed.filter { !$0.isRunning }
            + index.entries.sorted { $0.key < $1.key }.compactMap { run, entry in
                listed.contains { $0.run == run } ? nil : gone(run, entry)
            }
    }

    private func endDuplicate(_ id: String) async {
        do {
            try await account.client.deletePod(id)
            account.expire()
            warn("pod \"\(id)\" was bought twice for one launch, and is deleted")
        } catch {
            warn("pod \"\(id)\" was bought twice for one launch, and could not be deleted: \(error)")
        }
    }

    /// A pod that RunPod does not list any more: the proof that it has ended.
    private func gone(_ run: RunID, _ entry: RunPodIndex.Entry) -> Pod? {
        guard let id = entry.pod, let launch = entry.launch else { return nil }
        return Pod(
            provider: .runpod, id: id, run: run, launch: launch, state: .gone("it was deleted"), place: entry.place,
            created: .distantPast, isSpot: entry.creation.flatMap { RunPodName($0.name) }?.isSpot ?? false)
    }

    func end(_ pod: Pod, _ way: PodShutdown) async throws {
        defer { account.expire() }
        switch (way, pod.place) {
        case (.end(.terminate), _), (.interrupt, .network): try await account.client.act(.terminate, on: pod.id)
        case (.end(.stop), _), (.interrupt, _): try await account.client.act(.stop, on: pod.id)
        }
    }

    func markOver(_ pod: Pod) async throws {
        // A change of a pod that runs may restart it, so the mark comes after its end.
        guard let rented = try await account.client.pod(pod.id), rented.status == .exited,
            var name = RunPodName(rented.name), !name.isOver
        else { return }
        name.isOver = true
        defer { account.expire() }
        try await account.client.update(pod.id, name: name.description)
    }

    func startup(of pod: Pod) async -> PodStartup {
        guard let client = try? account.client else { return PodStartup(phase: "", timeout: bootTimeout) }
        let boot = await RunPodBoot.read(pod.id, client)
        var words = "its container runs, the agent does not answer yet"
        if case .provisioning(let reason) = pod.state { words = boot.phase ?? reason }
        return PodStartup(
            phase: "pod \"\(pod.id)\": \(words)", timeout: bootTimeout, stall: stallTimeout, failure: boot.failure,
            isOfHost: boot.isOfHost)
    }

    func console(of pod: Pod) -> AsyncThrowingStream<String, any Error> {
        do {
            return try account.client.logLines(of: pod.id, .container, tail: 10)
        } catch {
            return AsyncThrowingStream { $0.finish(throwing: error) }
        }
    }

    func token(launch: String) async throws -> String { try account.token(launch: launch) }

    func runs() async throws -> [RunID: PodPlace] { index.entries.mapValues(\.place) }

    func remember(_ run: RunID, at place: PodPlace) throws { try index.remember(run, at: place) }

    func source(of run: RunID, at place: PodPlace, pod: Pod?) -> any RunSource {
        var live = AgentSource(
            original: Volume(root: place.mount), place: place.text, cache: Volume(root: home)
        ) {
            guard let pod, let address = pod.address else { return nil }
            return AgentClient(
                address: address, token: try account.token(launch: pod.launch), transport: transport)
        }
        // A pod that has ended is noticed by asking RunPod, not by waiting.
        live.timeout = .seconds(5)
        return RunPodSource(live: live, isReachable: pod?.state == .running) {
            guard let pod, let client = try? account.client else { return true }
            do {
                return try await client.pod(pod.id)?.status != .running
            } catch {
                return false
            }
        }
    }

    func cleanUp(after run: RunID) async throws {
        do {
            try await RunPodSecrets(client: try account.client, warn: warn).delete(of: run)
        } catch let error as RunPodError {
            // A key without the right to keep secrets has kept none.
            if error.kind != .forbidden { throw error }
        }
    }

    var pollInterval: Duration { .milliseconds(500) }

    /// Each of the agent's routes has 20 s to show an effect.
    var backstop: Duration? { .seconds(75) }

    private func tokenDigest(_ launch: String) throws -> String {
        SHA256Digest(of: try account.token(launch: launch)).description
    }
}

extension RunPodProvider {
    /// nil if the pod is none of ours.
    private func pod(_ rented: RentedPod) -> Pod? {
        guard let name = RunPodName(rented.name) else { return nil }
        let port = rented.ports?.first { $0.hasSuffix("/http") }.flatMap { Int($0.prefix { $0 != "/" }) }
        return Pod(
            provider: .runpod, id: rented.id, run: name.run, launch: name.launch, state: Self.state(rented),
            place: Self.place(rented), price: rented.cost.flatMap { $0 > 0 ? $0 : nil },
            created: rented.createdAt?.date ?? .distantPast,
            address: port.map { account.addresses.url(pod: rented.id, port: $0) }, isSpot: name.isSpot,
            isOver: name.isOver)
    }

    private static func place(_ rented: RentedPod) -> PodPlace {
        if let mount = rented.mounts?.network?.first { return .network(id: mount.volumeId, mount: mount.path) }
        return .ownDisk(mount: rented.mounts?.persistent?.path ?? RunPodRules.mount)
    }

    private static func state(_ rented: RentedPod) -> Pod.State {
        switch rented.status {
        case .provisioning: .provisioning("RunPod looks for a machine")
        case .starting: .provisioning("the container starts")
        // RUNNING comes before the image is there.
        case .running where rented.runtime == nil: .provisioning("the image is pulled, or the container starts")
        case .running: .running
        case .exited: .exited("it is stopped")
        case .error: .exited("RunPod reports an error")
        case .terminated: .gone("it was deleted")
        case .other(let word): .unseen("RunPod calls it \(word)")
        }
    }
}
