#if canImport(Glibc)
internal import Glibc
#endif

/// A process of this machine, told apart from a later one that gets the same pid.
public struct ProcessIdentity: Sendable, Codable, Equatable {
    public var pid: Int32
    /// In clock ticks after boot, field 22 of /proc/PID/stat, proc(5).
    public var started: Int
    /// The kernel's boot id: pids of another boot say nothing.
    public var boot: String
    /// The pid namespace that `pid` counts in.
    public var namespace: String
}

#if os(Linux)
extension ProcessIdentity {
    /// nil where there is no such process.
    public init?(pid: Int32) {
        guard let stat = ProcessStat(pid: pid), stat.state != "Z", let boot = Self.boot, let namespace = Self.namespace
        else { return nil }
        self.init(pid: pid, started: stat.started, boot: boot, namespace: namespace)
    }

    /// Whether the process runs, or nil where this process cannot tell.
    public var isAlive: Bool? {
        guard boot == Self.boot else { return Self.boot == nil ? nil : false }
        guard namespace == Self.namespace else { return nil }
        return ProcessIdentity(pid: pid) == self
    }

    private static let boot = try? File.read("/proc/sys/kernel/random/boot_id").text.trimmed
    private static let namespace = try? File.readLink("/proc/self/ns/pid")
}
#endif
