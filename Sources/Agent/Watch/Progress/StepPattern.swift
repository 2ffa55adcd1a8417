internal import Glibc
internal import Shared

/// The user's own regular expression for the step, `progress` in the config.
///
/// An expression may take for ever on some lines. It runs on a thread of its own, and one that computes for longer than
/// `limit` on a line is left behind and never used again.
final class StepPattern: Sendable {
    /// Time on a processor, because a busy machine is not the expression's fault.
    static let limit: Duration = .milliseconds(100)
    /// Time in all.
    private static let longestWait: Duration = .seconds(3)

    private struct State {
        /// The line to be read; nil while there is none.
        var line: String?
        /// The step in the line, nil if it has none; nil as a whole until the expression has ended.
        var answer: Double??
        var isOff = false
        /// Counts the time that the thread computes; nil before it has begun.
        var clock: clockid_t?

        /// How long the thread has computed.
        var computed: Duration {
            guard let clock else { return .zero }
            var time = timespec()
            clock_gettime(clock, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }
    }

    /// A compiled expression never changes; it is only not marked as sendable.
    private struct Expression: @unchecked Sendable {
        let regex: Regex<AnyRegexOutput>
    }

    private let state = Monitor(State())
    private let text: String
    private let say: @Sendable (LogLine) -> Void

    /// `say` writes a line to the run's log.
    init(_ pattern: String, say: @escaping @Sendable (LogLine) -> Void = { _ in }) throws(Problem) {
        text = pattern
        self.say = say
        let expression: Expression
        do {
            expression = Expression(regex: try Regex(pattern))
        } catch {
            throw Problem("\"\(pattern)\" is not a regular expression: \(error)")
        }
        try DedicatedThread.start { [state] in
            var clock = clockid_t()
            if pthread_getcpuclockid(pthread_self(), &clock) == 0 { state.update { [clock] in $0.clock = clock } }
            while true {
                let line = state.wait { state -> String?? in
                    if state.isOff { return .some(nil) }
                    defer { state.line = nil }
                    return state.line.map { .some($0) }
                }
                guard let line else { return }
                let step = Self.step(in: line, expression)
                state.update { $0.answer = .some(step) }
            }
        }
    }

    /// Lets the thread end.
    deinit { state.update { $0.isOff = true } }

    /// The number in the first group; nil if the line does not match, the group holds none, or the expression is
    /// switched off. Blocks for a few seconds at most, and that once.
    func step(in line: [UInt8]) -> Double? {
        let (isOff, before) = state.update { state in
            (state.line, state.answer) = (line.text, nil)
            return (state.isOff, state.computed)
        }
        if isOff { return nil }
        let start = ContinuousClock.now
        while start.duration(to: .now) < Self.longestWait, state.read(\.computed) - before < Self.limit {
            if let answer = state.wait(while: { _ in 0 }, staysFor: Self.limit, { $0.answer }) { return answer }
        }
        state.update { $0.isOff = true }
        say(.patternOff(text, after: Self.limit))
        return nil
    }

    private static func step(in line: String, _ expression: Expression) -> Double? {
        guard let match = try? expression.regex.firstMatch(in: line), match.output.count > 1,
            let group = match.output[1].substring
        else { return nil }
        return Double(group.filter { $0 != "," && $0 != "_" })
    }
}
