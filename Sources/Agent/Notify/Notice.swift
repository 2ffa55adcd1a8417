internal import FoundationEssentials
internal import Shared

/// The JSON that is posted to the URLs of `notify`. Fields are added, never renamed.
struct Notice: Sendable, Encodable, Equatable {
    enum Event: String, Sendable, Encodable {
        case end
        /// The pod is being taken away.
        case interruption
        case stall
        case failedGate = "failed-gate"
    }

    var event: Event
    var run: RunID
    var attempt: Int
    var launch: String
    var pod: String
    var outcome: OutcomeClass?
    var message: String?
    /// The exit code as a shell reports it: 128 + n for a signal n.
    var exitCode: Int32?
    var step: Double?
    var time: Date
    /// A sentence with all of it. Chat services show the field of this name.
    var text: String

    private enum CodingKeys: String, CodingKey {
        case event, run, attempt, launch, pod
        case outcome = "class"
        case message, exitCode, step, time, text
    }

    init(_ event: Event, of record: AttemptRecord, message: String? = nil, at time: Date) {
        self.event = event
        run = record.run
        attempt = record.number
        launch = record.launch
        pod = record.pod
        outcome = record.outcome?.kind
        self.message = message ?? record.outcome?.message
        exitCode = event == .end ? Exit.ofPod(record.outcome) : record.outcome?.exit?.shellCode
        step = record.step
        self.time = time
        let what = event == .end ? outcome?.rawValue ?? "ended" : event.rawValue
        let code = exitCode.map { ", exit code \($0)" } ?? ""
        text = "\(run): \(what) (attempt \(attempt)\(code))" + (self.message.map { ": \($0)" } ?? "")
    }
}

extension Notice.Event {
    /// The event of a change of an attempt's record; nil if no notice is due.
    init?(from before: AttemptRecord, to after: AttemptRecord) {
        // An attempt that was claimed with an outcome does not post it: an earlier attempt did.
        let isDecided = before.outcome == nil && before.state != .claiming
        switch after.outcome?.kind {
        case .interrupted? where isDecided: self = .interruption
        case .stalled? where isDecided: self = .stall
        case let kind? where kind != .interrupted && after.state == .ended && before.state != .ended: self = .end
        default: return nil
        }
    }
}
