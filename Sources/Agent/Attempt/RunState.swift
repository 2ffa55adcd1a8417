internal import Shared

/// The state of an attempt and its end: a pure table of (state, event) that returns the effects.
///
/// An event that crosses another one may arrive when it means nothing any more. It then changes nothing.
struct RunState: Sendable, Equatable {
    private(set) var state: AttemptState = .claiming
    /// Set as soon as it is decided, which may be before the training has ended.
    private(set) var outcome: Outcome?
    private(set) var ending = Ending()

    mutating func handle(_ event: Event) -> [Effect] {
        if let code = ending.exitCode {
            // A SIGTERM is the provider's answer to the request to stop the pod.
            return event == .podStopped || event == .terminated ? [.exit(code)] : []
        }
        switch event {
        case .claimed: return claimed()
        case .claimedFinishing(let outcome): return claimed(finishing: outcome)
        case .claimedWaiting(let outcome, let pause): return claimed(waiting: outcome, for: pause)
        case .launchOver(let outcome): return state == .claiming ? leave(with: Exit.ofPod(outcome)) : []
        case .cannotStart(let exit): return state == .claiming ? leave(with: exit.rawValue) : []
        case .stepDone(let step): return stepDone(step)
        case .setupFailed(let message): return setupFailed(message)
        case .setupTimedOut(let message): return setupTimedOut(message)
        case .outOfMemory: return outOfMemory()
        case .leftIdle(let message): return leftIdle(message)
        case .trainingEnded(let exit): return trainingEnded(exit)
        case .stalled(let message): return stalled(message)
        case .stallCaptured: return stallCaptured()
        case .overLimit(let message):
            return state.isActive ? end(as: Outcome(.overLimit, message: message), by: .graceful()) : []
        case .terminated: return terminated()
        case .stopRequested(let request): return stopRequested(request)
        case .superseded: return superseded()
        case .unkillable: return unkillable()
        case .attemptFinished(let verdict): return attemptFinished(verdict)
        case .pauseOver: return state == .waiting ? [.startNext] : []
        case .published: return published()
        case .podStopped: return []
        }
    }
}

// MARK: - Before the attempt

extension RunState {
    private mutating func claimed() -> [Effect] {
        guard state == .claiming else { return [] }
        if ending.isRequested {
            outcome = Outcome(.stopped)
            return finish()
        }
        return enter(.preflight, then: .setUp(.preflight))
    }

    private mutating func claimed(finishing outcome: Outcome) -> [Effect] {
        guard state == .claiming else { return [] }
        self.outcome = outcome
        return enter(.finishing, then: .finishAttempt(gracefully: false))
    }

    private mutating func claimed(waiting outcome: Outcome, for pause: Duration) -> [Effect] {
        guard state == .claiming else { return [] }
        self.outcome = outcome
        return ending.isRequested ? stopBeforeRetry() : enter(.waiting, then: .pause(pause))
    }
}

// MARK: - Setup and training

extension RunState {
    private mutating func stepDone(_ step: SetupStep) -> [Effect] {
        guard state == step.state else { return [] }
        guard outcome == nil else { return finish() }
        guard let next = step.next else { return enter(.training, then: .train) }
        return enter(next.state, then: .setUp(next))
    }

    private mutating func setupFailed(_ message: String) -> [Effect] {
        guard state.isActive else { return [] }
        if outcome == nil { outcome = Outcome(.setupFailed, message: message) }
        return finish()
    }

    private mutating func setupTimedOut(_ message: String) -> [Effect] {
        if state == .claiming { return leave(with: Exit.setupFailed.rawValue) }
        return state.isSetup ? end(as: Outcome(.setupFailed, message: message), by: .fast) : []
    }

    /// Recorded with the end of the training, which follows at once.
    private mutating func outOfMemory() -> [Effect] {
        if state == .training && outcome == nil { outcome = Outcome(.outOfMemory) }
        return []
    }

    /// Recorded with the end of the training, which follows at once.
    private mutating func leftIdle(_ message: String) -> [Effect] {
        if state == .training && outcome == nil { outcome = Outcome(.failed, message: message) }
        return []
    }

    private mutating func trainingEnded(_ exit: ExitStatus) -> [Effect] {
        guard state == .training else { return [] }
        // The training only seemed to be stalled, if it ends well and the agent has not touched it.
        if outcome?.kind == .stalled && ending.teardown == nil && exit == .code(0) { outcome = nil }
        if outcome == nil { outcome = Outcome(exit == .code(0) ? .finished : .failed) }
        outcome?.exit = exit
        return finish()
    }

    private mutating func stalled(_ message: String) -> [Effect] {
        guard state == .training, outcome == nil else { return [] }
        outcome = Outcome(.stalled, message: message)
        return [.attempt(.record), .attempt(.captureStall)]
    }

    private mutating func stallCaptured() -> [Effect] {
        guard state == .training, outcome?.kind == .stalled, ending.teardown == nil else { return [] }
        ending.teardown = .dump
        return [.attempt(.tearDown(.dump))]
    }
}

// MARK: - Requests from outside

extension RunState {
    private mutating func terminated() -> [Effect] {
        switch state {
        case .claiming, .waiting:
            return [.exit(Exit.interrupted.rawValue)]
        case .preflight, .syncing, .installing, .resuming, .training:
            ending.isPreempted = true
            return end(as: Outcome(.interrupted), by: .fast)
        case .finishing:
            // The class stays, because the training's end is a fact already.
            ending.isPreempted = true
            return [.attempt(.tearDown(.immediate))]
        case .ended:
            return [.exit(Exit.ofPod(outcome))]
        }
    }

    private mutating func stopRequested(_ request: StopRequest) -> [Effect] {
        if let then = request.then { ending.podRule = then }
        if state == .ended { return [] }
        ending.isRequested = true
        switch state {
        case .waiting: return stopBeforeRetry()
        case .finishing: return request.mode == .now ? [.attempt(.tearDown(.immediate))] : []
        // While the agent claims the next attempt, its API still serves the one before.
        case .claiming, .ended: return []
        case .preflight, .syncing, .installing, .resuming, .training:
            return end(as: Outcome(.stopped), by: Teardown(request))
        }
    }

    private mutating func superseded() -> [Effect] {
        if state == .claiming || state == .ended { return [] }
        // Anything that this attempt writes from now on is no longer part of the run.
        return [.attempt(.fence), .attempt(.tearDown(.immediate))] + leave(with: Exit.interrupted.rawValue)
    }
}

// MARK: - The end

extension RunState {
    private mutating func unkillable() -> [Effect] {
        guard state.isActive, ending.teardown != nil else { return [] }
        ending.isUnkillable = true
        return finish()
    }

    private mutating func attemptFinished(_ verdict: RetryRule.Verdict?) -> [Effect] {
        guard state == .finishing else { return [] }
        switch verdict {
        case .retry? where ending.isRequested: return stopBeforeRetry()
        case .retry(let pause)? where !ending.isUnkillable: return wait(for: pause)
        case .enough(let reason)? where outcome?.message == nil: outcome?.message = reason
        default: break
        }
        return enter(.ended, then: .publish(gracefully: !ending.isPreempted))
    }

    private mutating func published() -> [Effect] {
        switch state {
        case .waiting: [.exit(Exit.interrupted.rawValue)]
        case .ended where ending.isPreempted: [.exit(Exit.ofPod(outcome))]
        case .ended: leave(with: Exit.ofPod(outcome))
        default: []
        }
    }

    /// Ends the training, or the child of a setup step. The first reason stays; a later one may only shorten the
    /// teardown.
    private mutating func end(as reason: Outcome, by teardown: Teardown) -> [Effect] {
        // A stalled training is about to be ended, as soon as its stall is captured.
        let current = ending.teardown ?? (outcome?.kind == .stalled ? .dump : nil)
        if outcome != nil, let current, current.length <= teardown.length { return [] }
        ending.teardown = teardown
        guard outcome == nil else { return [.attempt(.tearDown(teardown))] }
        outcome = reason
        return [.attempt(.record), .attempt(.tearDown(teardown))]
    }

    private mutating func finish() -> [Effect] {
        let isNow = outcome?.kind == .stopped && ending.teardown == .fast
        let isGraceful = !ending.isPreempted && !ending.isUnkillable && !isNow
        return enter(.finishing, then: .finishAttempt(gracefully: isGraceful))
    }

    /// Waits for the next attempt. On a pod that is being taken away, the agent of the pod's next start makes that
    /// attempt.
    private mutating func wait(for pause: Duration) -> [Effect] {
        ending.isPreempted
            ? enter(.waiting, then: .schedule(pause), .publish(gracefully: false))
            : enter(.waiting, then: .pause(pause))
    }

    /// Ends a failed attempt that would be retried if the user had not asked for the end. The message keeps how it
    /// failed.
    private mutating func stopBeforeRetry() -> [Effect] {
        let failure = outcome.map { $0.kind.rawValue + ($0.message.map { ": \($0)" } ?? "") } ?? "nothing"
        outcome = Outcome(.stopped, exit: outcome?.exit, message: "before the next try; this one ended as \(failure)")
        return enter(.ended, then: .publish(gracefully: !ending.isPreempted))
    }

    private mutating func enter(_ next: AttemptState, then effects: AttemptEffect...) -> [Effect] {
        state = next
        return [.attempt(.record)] + effects.map(Effect.attempt)
    }

    /// Stops the pod first: a pod whose container exits is restarted by its provider, and billed on.
    private mutating func leave(with code: Int32) -> [Effect] {
        ending.exitCode = code
        return [.stopPod]
    }
}
