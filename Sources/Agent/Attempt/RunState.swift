internal import Shared

/// What happens to an attempt.
enum Event: Sendable, Equatable {
    case claimed
    /// Claimed from an attempt of this launch whose training is over and whose end is not.
    case claimedFinishing(Outcome)
    /// Claimed from an attempt of this launch that had failed and waited for the next one; so much of the pause is left.
    case claimedWaiting(Outcome, Duration)
    /// The run cannot be claimed: its volume or its past does not allow it.
    case claimFailed
    /// The launch is over, or belongs to the past.
    case launchOver(Outcome?)
    case synced
    case installed
    case resumeChosen
    /// A step before the training failed, or was called off.
    case setupFailed(String)
    case trainingEnded(ExitStatus)
    case outOfMemory
    /// All of the attempt is over; the verdict is nil where no other attempt may follow on this pod.
    case settled(RetryRule.Verdict?)
    /// The pause before the next attempt is over.
    case waited
    case published
    /// The pod was seen to cost nothing more.
    case meterEnded
    /// SIGTERM, from the pod's host or whoever else.
    case terminated
    case stopAsked(StopRequest)
    /// A higher claim exists.
    case superseded
    /// No new step for too long.
    case stalled(String)
    /// What a training that stands still looks like is on record.
    case examined
    /// What was to be ended does not end: it hangs in a call, on the volume most likely, where nothing reaches it.
    case abandoned
    /// A limit of the run is used up.
    case overLimit(String)
    /// The preparation takes too long.
    case setupTimedOut(String)
}

/// What is to be done about it.
enum Effect: Sendable, Equatable {
    /// The state or the outcome changed: on its way to the volume, before what comes next goes there.
    case record
    case sync
    case install
    case chooseCheckpoint
    case train
    /// End the training, or whatever child prepares it.
    case tearDown(Teardown)
    /// Drain the output, end what lingers (patiently or not), close the record of the attempt.
    case settle(patiently: Bool)
    /// Write down that the next attempt begins after this pause.
    case schedule(Duration)
    /// That too, and tell when the pause is over.
    case wait(Duration)
    /// Begin the next attempt.
    case startNext
    /// Look at a training that stands still without touching it.
    case examine
    /// Let the followers have the rest.
    case publish(patiently: Bool)
    /// Stop what the pod costs, until it is seen to have worked.
    case endMeter
    /// Write nothing more.
    case fence
    /// Leave with this exit code.
    case exit(Int32)
}

/// Where an attempt is, and how it ended. A pure table of (state, event): it does nothing itself.
struct RunState: Sendable, Equatable {
    private(set) var state: AttemptState = .claiming
    /// Set as soon as it is decided, which may be before the training has ended.
    private(set) var outcome: Outcome?
    /// The pod is being taken away: there is no time for patience.
    private(set) var isHurried = false
    /// How the training is being ended.
    private var teardown: Teardown?
    /// Something of this attempt is left behind, and may wake up: no other attempt follows on this pod.
    private var isAbandoned = false
    /// The user asked for the end, so that no other attempt follows.
    private var isStopAsked = false
    /// What the user wants to become of the pod, where he said so: it goes before what the config says.
    private(set) var finishAsked: OnFinish?
    /// The pod's exit code, once nothing but its end is left to do.
    private var leavingWith: Int32?

    mutating func handle(_ event: Event) -> [Effect] {
        if let leavingWith {
            // SIGTERM is the provider's answer to the request to stop.
            return event == .meterEnded || event == .terminated ? [.exit(leavingWith)] : []
        }
        if case .stopAsked(let request) = event, let then = request.then { finishAsked = then.rule }
        switch (state, event) {
        case (.claiming, .claimed):
            guard !isStopAsked else {
                outcome = Outcome(.stopped)
                return finish()
            }
            return enter(.syncing, then: .sync)
        case (.claiming, .stopAsked):
            // While the next attempt is claimed the API still serves the one before.
            isStopAsked = true
            return []
        case (.finishing, .stopAsked(let request)):
            isStopAsked = true
            return request.mode == .now ? [.tearDown(.immediate)] : []
        case (.claiming, .claimedFinishing(let outcome)):
            self.outcome = outcome
            return enter(.finishing, then: .settle(patiently: false))
        case (.claiming, .claimedWaiting(let outcome, let pause)):
            self.outcome = outcome
            return isStopAsked ? stopBeforeNextTry() : enter(.waiting, then: .wait(pause))
        case (.claiming, .launchOver(let outcome)):
            return leave(with: Self.exitCode(outcome))
        case (.claiming, .claimFailed):
            return leave(with: 74)
        case (.claiming, .setupTimedOut):
            return leave(with: 73)
        case (.claiming, .terminated):
            return [.exit(Self.exitCode(Outcome(.interrupted)))]

        case (.syncing, .synced):
            return outcome == nil ? enter(.installing, then: .install) : finish()
        case (.installing, .installed):
            return outcome == nil ? enter(.resuming, then: .chooseCheckpoint) : finish()
        case (.resuming, .resumeChosen):
            return outcome == nil ? enter(.training, then: .train) : finish()
        case (.syncing, .setupFailed(let message)), (.installing, .setupFailed(let message)),
            (.resuming, .setupFailed(let message)), (.training, .setupFailed(let message)):
            if outcome == nil { outcome = Outcome(.setupFailed, message: message) }
            return finish()

        case (.training, .trainingEnded(let exit)):
            // It only seemed to stand still, and nothing has touched it.
            if outcome?.kind == .stalled && teardown == nil && exit == .code(0) { outcome = nil }
            if outcome == nil { outcome = Outcome(exit == .code(0) ? .finished : .failed) }
            outcome?.exit = exit
            return finish()
        case (.training, .outOfMemory):
            // Told just before the end that it explains.
            if outcome == nil { outcome = Outcome(.outOfMemory) }
            return []

        case (.finishing, .settled(.retry)) where isAbandoned && !isStopAsked:
            return enter(.ended, then: .publish(patiently: !isHurried))
        case (.finishing, .settled(.retry(let pause))) where !isStopAsked:
            // Of a pod that is being taken away, whoever starts it again makes the next attempt.
            return isHurried
                ? enter(.waiting, then: .schedule(pause), .publish(patiently: false))
                : enter(.waiting, then: .wait(pause))
        case (.finishing, .settled(.retry)):
            return stopBeforeNextTry()
        case (.finishing, .settled(let verdict)):
            if case .enough(let reason) = verdict, outcome?.message == nil { outcome?.message = reason }
            return enter(.ended, then: .publish(patiently: !isHurried))
        case (.waiting, .waited):
            return [.startNext]
        case (.waiting, .stopAsked):
            return stopBeforeNextTry()
        case (.waiting, .terminated), (.waiting, .published):
            return [.exit(Self.exitCode(Outcome(.interrupted)))]
        case (.ended, .published) where !isHurried:
            return leave(with: Self.exitCode(outcome))
        case (.ended, .published), (.ended, .terminated):
            return [.exit(Self.exitCode(outcome))]

        case (.syncing, .terminated), (.installing, .terminated), (.resuming, .terminated), (.training, .terminated):
            isHurried = true
            return end(as: .interrupted, by: .fast)
        case (.finishing, .terminated):
            // The class stays: the training's end is a fact already.
            isHurried = true
            return [.tearDown(.immediate)]
        case (.syncing, .stopAsked(let request)), (.installing, .stopAsked(let request)),
            (.resuming, .stopAsked(let request)), (.training, .stopAsked(let request)):
            isStopAsked = true
            return end(as: .stopped, by: Teardown(request))

        case (.training, .stalled(let message)) where outcome == nil:
            outcome = Outcome(.stalled, message: message)
            return [.record, .examine]
        case (.training, .examined) where outcome?.kind == .stalled && teardown == nil:
            teardown = .dump
            return [.tearDown(.dump)]
        case (.syncing, .overLimit(let message)), (.installing, .overLimit(let message)),
            (.resuming, .overLimit(let message)), (.training, .overLimit(let message)):
            let effects = end(as: .overLimit, by: .graceful())
            if outcome?.kind == .overLimit { outcome?.message = message }
            return effects
        case (.syncing, .setupTimedOut(let message)), (.installing, .setupTimedOut(let message)),
            (.resuming, .setupTimedOut(let message)):
            let effects = end(as: .setupFailed, by: .fast)
            if outcome?.kind == .setupFailed { outcome?.message = message }
            return effects

        case (.syncing, .abandoned), (.installing, .abandoned), (.resuming, .abandoned), (.training, .abandoned):
            guard teardown != nil else { return [] }
            isAbandoned = true
            return finish()

        case (.claiming, .superseded), (.ended, .superseded):
            return []
        case (_, .superseded):
            // What this attempt still had to say is not part of the run any more.
            return [.fence, .tearDown(.immediate)] + leave(with: Self.exitCode(Outcome(.interrupted)))

        default:
            // An event that crossed another one: it changes nothing any more.
            return []
        }
    }

    /// The first reason to end it stays the reason; a later one may only shorten it.
    private mutating func end(as kind: OutcomeClass, by teardown: Teardown) -> [Effect] {
        // One that stands still is about to be ended, once it was looked at.
        let current = self.teardown ?? (outcome?.kind == .stalled ? .dump : nil)
        if outcome != nil, let current, current.length <= teardown.length { return [] }
        self.teardown = teardown
        guard outcome == nil else { return [.tearDown(teardown)] }
        outcome = Outcome(kind)
        return [.record, .tearDown(teardown)]
    }

    private mutating func enter(_ next: AttemptState, then effects: Effect...) -> [Effect] {
        state = next
        return [.record] + effects
    }

    /// A pod whose container ends is started again and costs on: what it costs is stopped first.
    private mutating func leave(with code: Int32) -> [Effect] {
        leavingWith = code
        return [.endMeter]
    }

    private mutating func finish() -> [Effect] {
        let isNow = outcome?.kind == .stopped && teardown == .fast || isAbandoned
        return enter(.finishing, then: .settle(patiently: !isHurried && !isNow))
    }

    /// The training failed and would be tried again, and the user wants no more of it. How it failed stays visible.
    private mutating func stopBeforeNextTry() -> [Effect] {
        let failure = outcome.map { $0.kind.rawValue + ($0.message.map { ": \($0)" } ?? "") } ?? "nothing"
        outcome = Outcome(.stopped, exit: outcome?.exit, message: "before the next try; this one ended as \(failure)")
        return enter(.ended, then: .publish(patiently: !isHurried))
    }

    /// The pod's exit code: the training's own; where it has none, what sysexits(3) and shells have for the case.
    static func exitCode(_ outcome: Outcome?) -> Int32 {
        if let exit = outcome?.exit { return exit.shellCode }
        return switch outcome?.kind {
        case nil, .finished: 0
        case .failed: 70
        case .outOfMemory, .stalled, .overLimit, .agentCrash: 70
        case .setupFailed: 73
        case .stopped: 130
        case .interrupted: 143
        }
    }
}
