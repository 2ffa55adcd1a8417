internal import HTTPClient
internal import Shared
internal import Synchronization

/// Posts notices in the background. Only the agent waits for them, and only for a moment before it exits.
final class Notifier: Sendable {
    private let urls: [String]
    private let transport: @Sendable () async -> any HTTPTransport
    private let clock: any Clock<Duration>
    /// One for each URL of each notice, fulfilled when the first try is over.
    private let tried = Mutex<[Promise<Void>]>([])

    init(
        urls: [String], clock: any Clock<Duration> = ContinuousClock(),
        transport: @escaping @Sendable () async -> any HTTPTransport = { await CurlTransport.ofTheAgent() }
    ) {
        self.urls = urls
        self.clock = clock
        self.transport = transport
    }

    /// Sends `notice` to every URL, in `tries` tries each. Failures go to `say`.
    func send(_ notice: Notice, tries: Int, say: @escaping @Sendable (LogLine) -> Void) {
        guard let body = try? JSON.encode(notice) else { return }
        for url in urls {
            let first = Promise<Void>()
            tried.withLock { tried in
                tried.removeAll { $0.valueIfFulfilled != nil }
                tried.append(first)
            }
            Task {
                await post(body, to: url, tries: tries, first) { reason, isRetried in
                    say(.notPosted(event: notice.event.rawValue, reason: reason, isRetried: isRetried))
                }
                first.fulfil(())
            }
        }
    }

    /// Returns when the first try of every notice is over, or after `timeout`.
    func firstTries(within timeout: Duration) async {
        let pending = tried.withLock { $0 }
        let all = Promise<Void>()
        Task {
            for first in pending { await first.value }
            all.fulfil(())
        }
        _ = await all.value(within: timeout)
    }

    /// Reports why the first try failed, and why the last one failed if there were more.
    private func post(
        _ body: [UInt8], to url: String, tries: Int, _ first: Promise<Void>,
        failed: (_ reason: String, _ isRetried: Bool) -> Void
    ) async {
        var request = HTTPRequest(
            "POST", url, headers: [("Content-Type", "application/json")], body: body,
            timeouts: HTTPTimeouts(connect: .seconds(5), total: .seconds(10)))
        request.isPathSecret = true
        let transport = await transport()
        for count in 1... {
            guard let failure = await post(request, by: transport) else { return }
            guard failure.isPassing, count < tries else { return failed(failure.reason, false) }
            if count == 1 { failed(failure.reason, true) }
            first.fulfil(())
            // 1 s, 4 s, 16 s, each longer by up to half.
            let pause = Duration.seconds(Double(1 << (2 * min(count - 1, 4))) * .random(in: 1...1.5))
            do { try await clock.sleep(for: pause) } catch { return }
        }
    }

    private struct Failure {
        var reason: String
        /// A later try may succeed.
        var isPassing: Bool
    }

    private func post(_ request: HTTPRequest, by transport: any HTTPTransport) async -> Failure? {
        do {
            let head = try await transport.open(request).head
            if head.isSuccess { return nil }
            return Failure(
                reason: "\"\(request.label)\" answered \(head.status)",
                isPassing: head.status >= 500 || [408, 429].contains(head.status))
        } catch {
            return Failure(reason: error.message, isPassing: error.isPassing)
        }
    }
}
