#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// An attempt's right to be the run's writer, `attempts/NNNN.claim`. Written once, never changed.
public struct Claim: Sendable, Codable, Equatable {
    public var number: Int
    public var pod: String
    public var launch: String
    /// Attempts of one lineage continue each other's checkpoints. Named by the launch that began it.
    public var lineage: String
    /// Offset of this attempt's first byte in the run's log.
    public var logStart: Int
    /// Names the bytes that this attempt adds to the log.
    public var stream: String
    /// The agent's processes, `init` first. What they say counts where the pod is a process tree of one machine.
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

    /// Whether the agent runs: true where any of its processes does, nil where that cannot be told from here.
    public var isAlive: Bool? {
        let answers = processes.map(\.isAlive)
        if answers.contains(true) { return true }
        return answers.isEmpty || answers.contains(nil) ? nil : false
    }
}
