internal import Shared

/// A place that pods come from. The order of calls is offers, create, start, end.
protocol Provider: Sendable {
    var name: ProviderName { get }

    /// The volume that a run with these resources uses.
    func place(for resources: Resources) -> PodPlace

    /// Offers that fit the order, the one to try first at the front. Empty if there is none at this moment.
    func offers(for order: PodOrder) async throws -> [Offer]

    /// Creates and starts a pod. Returns once the provider has accepted it; its agent may not answer yet. Throws
    /// `OfferGone` if this offer cannot be had.
    func create(_ order: PodOrder, at offer: Offer) async throws -> Pod

    /// Whether a pod that has exited is started again for the next launch. If not, another one is created.
    func restarts(_ pod: Pod) -> Bool

    /// Starts a pod that has exited, for the launch of `order`. Throws `OfferGone` if that is not possible now.
    func start(_ pod: Pod, with order: PodOrder) async throws -> Pod

    /// The request that `create` would send, for a person to read. It holds no secret.
    func preview(_ order: PodOrder, at offer: Offer) throws -> [UInt8]

    /// Starts the run of a pod again that the provider took away. nil if this provider takes no pod away. Throws
    /// `OfferGone` if there is no pod at the moment.
    func relaunch(_ pod: Pod) async throws -> Pod?

    /// Every pod that the provider knows, the newest first.
    func pods() async throws -> [Pod]

    /// Removes what earlier pods of the run left, now that the agent of `pod` owns the run.
    func settled(_ pod: Pod) async

    func end(_ pod: Pod, _ way: PodShutdown) async throws

    /// Leaves a mark on a pod that has ended, which every machine of the user sees: its run has ended for good.
    func markOver(_ pod: Pod) async throws

    /// Removes what the provider keeps for a run that has ended.
    func cleanUp(after run: RunID) async throws

    /// Time after which this machine ends the pod of a run that has ended, if its agent could not. nil if no pod is
    /// billed.
    var backstop: Duration? { get }

    /// Pause between two questions of a command that waits for a pod.
    var pollInterval: Duration { get }

    /// Returns the progress of the pod until its agent answers.
    func startup(of pod: Pod) async -> PodStartup

    /// Lines that the pod itself has printed, for when its agent does not answer. May end late or never.
    func console(of pod: Pod) -> AsyncThrowingStream<String, any Error>

    /// The token that the pod's agent accepts from its user.
    func token(launch: String) async throws -> String

    /// Runs on volumes that outlive their pods, with the volume of each.
    func runs() async throws -> [RunID: PodPlace]

    /// Remembers where a run is, for the time when no pod tells. A provider that keeps such a list itself does nothing.
    func remember(_ run: RunID, at place: PodPlace) throws

    /// Reads a run on the volume at `place`. `pod` is its newest pod, if one is known.
    func source(of run: RunID, at place: PodPlace, pod: Pod?) -> any RunSource
}

extension Provider {
    func cleanUp(after run: RunID) async throws {}
    func settled(_ pod: Pod) async {}
    var backstop: Duration? { nil }
    func restarts(_ pod: Pod) -> Bool { if case .exited = pod.state { true } else { false } }
    func relaunch(_ pod: Pod) async throws -> Pod? { nil }
    var pollInterval: Duration { .milliseconds(10) }

    /// The last ten lines that the pod printed, as far as they come within `timeout`.
    func lastWords(of pod: Pod, within timeout: Duration = .seconds(5)) async -> String {
        let lines = ConsoleLines()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await line in console(of: pod) { await lines.add(line) }
                } catch {}
            }
            group.addTask { try? await Task.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
        return await lines.text
    }
}

/// The end of a console.
private actor ConsoleLines {
    private var lines: [String] = []

    func add(_ line: String) { lines = (lines + [line]).suffix(10) }

    var text: String { lines.joined(separator: "\n") }
}
