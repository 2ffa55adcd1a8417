/// A process of some machine, told apart from a later one that gets the same pid.
public struct ProcessIdentity: Sendable, Codable, Equatable {
    public var pid: Int32
    /// In clock ticks after boot, field 22 of /proc/PID/stat, proc(5).
    public var started: Int
    /// The kernel's boot id: pids of another boot say nothing.
    public var boot: String
    /// The machine's id, machine-id(5), where it has one.
    public var machine: String?
    /// The pid namespace that `pid` counts in.
    public var namespace: String
}

#if os(Linux)
extension ProcessIdentity {
    /// nil where there is no such process.
    public init?(pid: Int32) {
        guard let stat = ProcessStat(pid: pid), !stat.isZombie, let boot = Self.boot, let namespace = Self.namespace
        else { return nil }
        self.init(pid: pid, started: stat.started, boot: boot, machine: Self.machine, namespace: namespace)
    }

    /// Whether the process runs, or nil where this process cannot tell.
    public var isAlive: Bool? {
        guard boot == Self.boot else {
            // This machine was started again since; of another one nothing is known. In a container the machine's id may be one
            // that all containers of the image share.
            let isHost = namespace == Self.hostNamespace && Self.namespace == Self.hostNamespace
            return isHost && machine != nil && machine == Self.machine ? false : nil
        }
        guard namespace == Self.namespace else { return nil }
        return ProcessIdentity(pid: pid) == self
    }

    /// PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h: the pid namespace that is in no other.
    private static let hostNamespace = "pid:[4026531836]"
    private static let boot = try? File.read("/proc/sys/kernel/random/boot_id").text.trimmed
    private static let machine = (try? File.read("/etc/machine-id").text.trimmed).flatMap { $0.isEmpty ? nil : $0 }
    private static let namespace = try? File.readLink("/proc/self/ns/pid")
}
#else
extension ProcessIdentity {
    /// Pods are Linux processes; from elsewhere nobody can tell.
    public var isAlive: Bool? { nil }
}
#endif
