internal import Shared

/// Ends what this pod costs: by each route in turn, read back, and again after a pause, until it was seen to work.
struct PodStopper: Sendable {
    /// In the order in which they are tried.
    let routes: [any StopRoute]
    let way: PodEnd
    var pace = Pace()
    var clock: any Clock<Duration> = ContinuousClock()
    /// From 0 to 1.
    var jitter: @Sendable () -> Double = { .random(in: 0...1) }
    /// Is told what does not work, a line each.
    let say: @Sendable (LogLine) -> Void

    struct Pace: Sendable {
        /// A route that takes longer to answer is left behind.
        var call: Duration = .seconds(30)
        /// How often the provider is read back after a route took the request, each time after `interval`.
        var looks = 10
        var interval: Duration = .seconds(2)
        /// Between two rounds of all routes. It doubles from one to the next up to `longest`; jitter takes up to half of it off.
        var pause: Duration = .seconds(5)
        var longest: Duration = .seconds(300)
    }

    /// Returns once the pod was seen to be over, or its task is cancelled. The pod's own end comes as a SIGTERM before that, most times.
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
            // The answer may have been lost, or the pod may be on its way out already.
            return (try? await bounded { try await route.isOver() }) == true
        }
        var doubt = "the pod still runs"
        for look in 0..<pace.looks {
            if look > 0 { do { try await clock.sleep(for: pace.interval) } catch { return false } }
            do {
                if try await bounded({ try await route.isOver() }) { return true }
            } catch {
                doubt = "\(error)"
            }
        }
        say(.podEndNotSeen(verb: way.rawValue, route: route.name, reason: doubt))
        return false
    }

    /// What `call` returns. Throws where it takes longer than `pace.call`; it is then left behind, whatever it waits for.
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
