#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The right of an attempt to write to the run, `attempts/NNNN.claim`. It is written once and never changed.
public struct Claim: Sendable, Codable, Equatable {
    /// The format of a run's folder: its layout and the fields of its records. A folder of another format is refused.
    public static let format = 2

    /// The format of the folder that the claim is in.
    public private(set) var format = Claim.format
    public var number: Int
    public var pod: String
    public var launch: String
    /// Attempts of one lineage continue each other's checkpoints. Its name is that of the launch that began it.
    public var lineage: String
    /// The offset of this attempt's first byte in the run's log.
    public var logStart: Int
    /// Identifies the bytes that this attempt appends to the log.
    public var stream: String
    /// The processes of the agent, `init` first. Empty if the pod is not a process tree of one machine.
    public var processes: [ProcessIdentity]
    public var claimed: Date
    /// Address of the agent's API, for a launcher that has no record of the pod.
    public var address: String?

    public init(
        number: Int, pod: String, launch: String, lineage: String, logStart: Int, stream: String,
        processes: [ProcessIdentity], claimed: Date, address: String? = nil
    ) {
        self.number = number
        self.pod = pod
        self.launch = launch
        self.lineage = lineage
        self.logStart = logStart
        self.stream = stream
        self.processes = processes
        self.claimed = claimed
        self.address = address
    }

    /// Whether any process of the agent runs; nil if this process cannot know.
    public var isAlive: Bool? {
        let answers = processes.map(\.isAlive)
        if answers.contains(true) { return true }
        return answers.isEmpty || answers.contains(nil) ? nil : false
    }
}
