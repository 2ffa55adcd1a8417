/// Identifies a process of some machine. A later process with the same pid has another identity.
public struct ProcessIdentity: Sendable, Codable, Equatable {
    public var pid: Int32
    /// The start time in clock ticks after boot, field 22 of /proc/PID/stat, proc(5).
    public var started: Int
    /// The kernel's boot id. Pids of another boot mean nothing.
    public var boot: String
    /// The machine's id, machine-id(5); nil if it has none.
    public var machine: String?
    /// The pid namespace to which `pid` belongs.
    public var namespace: String
}

#if os(Linux)
extension ProcessIdentity {
    /// nil if there is no such process.
    public init?(pid: Int32) {
        guard let stat = ProcessStat(pid: pid), !stat.isZombie, let boot = Self.boot, let namespace = Self.namespace
        else { return nil }
        self.init(pid: pid, started: stat.started, boot: boot, machine: Self.machine, namespace: namespace)
    }

    /// Whether the process runs; nil if this process cannot know.
    public var isAlive: Bool? {
        guard boot == Self.boot else {
            // The same machine has booted again, so the process is gone. Another machine's processes are unknown. In a
            // container the machine's id does not count: all containers of an image may share it.
            let isHost = namespace == Self.hostNamespace && Self.namespace == Self.hostNamespace
            return isHost && machine != nil && machine == Self.machine ? false : nil
        }
        guard namespace == Self.namespace else { return nil }
        return ProcessIdentity(pid: pid) == self
    }

    /// The outermost pid namespace: PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h.
    private static let hostNamespace = "pid:[4026531836]"
    private static let boot = try? File.read("/proc/sys/kernel/random/boot_id").text.trimmed
    private static let machine = (try? File.read("/etc/machine-id").text.trimmed).flatMap { $0.isEmpty ? nil : $0 }
    private static let namespace = try? File.readLink("/proc/self/ns/pid")
}
#else
extension ProcessIdentity {
    /// Pods are processes of Linux. Other systems cannot know.
    public var isAlive: Bool? { nil }
}
#endif
