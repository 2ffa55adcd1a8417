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
        let rented = try await RunPodPurchase(client: client, launch: launch).buy(body, offer)
        guard let pod = pod(rented) else { throw Problem("pod \"\(rented.id)\" has lost its name") }
        try index.remember(pod, body)
        return pod
    }

    func start(_ pod: Pod, with order: PodOrder) async throws -> Pod {
        let client = try account.client
        var order = order
        if let price = pod.price { order = order.bought(at: Offer(text: "", price: price)) }
        let secrets = try await RunPodSecrets(client: client, warn: warn).keep(order)
        let body = RunPodOrder(
            order: order, tokenDigest: try tokenDigest(order.spec.launch.id), secrets: secrets)
        let name = RunPodName(run: order.spec.run, launch: order.spec.launch.id, isSpot: pod.isSpot)
        try await start(pod, named: name, with: try body.variables(), client)
        var started = pod
        started.launch = order.spec.launch.id
        try index.remember(started, nil)
        started.state = .provisioning("it starts")
        return started
    }

    /// Throws `OfferGone` if its host has no free GPU.
    private func start(
        _ pod: Pod, named name: RunPodName, with variables: [String: String], _ client: RunPodClient
    ) async throws {
        defer { account.expire() }
        try await client.update(pod.id, name: name.description, env: variables)
        do {
            try await client.act(.start, on: pod.id)
        } catch {
            guard error.kind == .noCapacity else { throw error }
            throw OfferGone("the host of pod \"\(pod.id)\" has no free GPU")
        }
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
        let listed = try await account.pods().compactMap(pod)
        return listed
            + index.entries.sorted { $0.key < $1.key }.compactMap { run, entry in
                listed.contains { $0.run == run } ? nil : gone(run, entry)
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

    func markStopped(_ pod: Pod) async throws {
        // A change of a pod that runs may restart it, so the mark comes after its end.
        guard let rented = try await account.client.pod(pod.id), rented.status == .exited,
            var name = RunPodName(rented.name), !name.isStopped
        else { return }
        name.isStopped = true
        defer { account.expire() }
        try await account.client.update(pod.id, name: name.description)
    }

    func startup(of pod: Pod) async -> PodStartup {
        guard let client = try? account.client else { return PodStartup(phase: "", timeout: bootTimeout) }
        let boot = await RunPodBoot.read(pod.id, client)
        var words = "its container runs, the agent does not answer yet"
        if case .provisioning(let reason) = pod.state { words = boot.phase ?? reason }
        return PodStartup(phase: "pod \"\(pod.id)\": \(words)", timeout: bootTimeout, failure: boot.failure)
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
            isStopped: name.isStopped)
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
