internal import Shared

/// Stops or deletes this pod: tries each route in turn, then pauses and tries again, until the provider confirms the
/// end.
struct PodStopper: Sendable {
    /// The routes, in the order in which they are tried.
    let routes: [any StopRoute]
    let way: PodEnd
    var pace = Pace()
    var clock: any Clock<Duration> = ContinuousClock()
    /// Returns a number from 0 to 1.
    var jitter: @Sendable () -> Double = { .random(in: 0...1) }
    /// Takes a line for each failure.
    let say: @Sendable (LogLine) -> Void

    struct Pace: Sendable {
        /// Timeout of one request. A request that takes longer is left behind.
        var call: Duration = .seconds(30)
        /// Number of checks, `interval` apart, whether the pod is over after a route accepted the request.
        var looks = 10
        var interval: Duration = .seconds(2)
        /// Pause after a round of all routes. It doubles from round to round up to `longest`. Jitter shortens it by up
        /// to half.
        var pause: Duration = .seconds(5)
        var longest: Duration = .seconds(300)
    }

    /// Returns when a route reports that the pod is over, or when the task is cancelled. Usually the pod's SIGTERM
    /// comes first.
    func run() async {
        for round in 0... {
            for route in routes {
                if await works(route) { return }
                if Task.isCancelled { return }
            }
            let pause = pause(after: round)
            say(.podStillRuns(retryAfter: pause))
            do { try await clock.sleep(for: pause) } catch { return }
        }
    }

    func pause(after round: Int) -> Duration {
        min(pace.pause * (1 << min(round, 20)), pace.longest) * (1 - jitter() / 2)
    }

    private func works(_ route: any StopRoute) async -> Bool {
        do {
            try await bounded { [way] in try await route.end(way) }
        } catch {
            say(.podNotEnded(verb: way.rawValue, route: route.name, reason: "\(error)"))
            // The request may have worked although its answer was lost.
            return (try? await bounded { try await route.isOver() }) == true
        }
        var reason = "the pod still runs"
        for check in 0..<pace.looks {
            if check > 0 { do { try await clock.sleep(for: pace.interval) } catch { return false } }
            do {
                if try await bounded({ try await route.isOver() }) { return true }
            } catch {
                reason = "\(error)"
            }
        }
        say(.podEndNotSeen(verb: way.rawValue, route: route.name, reason: reason))
        return false
    }

    /// Returns the result of `call`. Throws if it takes longer than `pace.call`, and leaves the call behind.
    private func bounded<Value: Sendable>(_ call: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let answer = Promise<Result<Value, any Error>>()
        let task = Task {
            do { answer.fulfil(.success(try await call())) } catch { answer.fulfil(.failure(error)) }
        }
        defer { task.cancel() }
        guard let result = await answer.value(within: pace.call) else {
            throw Problem("no answer within \(Int(pace.call.inSeconds)) s")
        }
        return try result.get()
    }
}
