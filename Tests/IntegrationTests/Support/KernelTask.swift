import Glibc
import Shared
import TestSupport
import Testing

/// A live thread in the kernel's view, seen from outside its namespaces.
struct KernelTask: CustomStringConvertible {
    let process: Int32
    let thread: Int32
    let name: String
    /// `D` means that it sleeps in the kernel and no signal reaches it, proc(5).
    let state: Character
    /// The kernel function in which it sleeps; empty if that is not visible.
    let waitsIn: String

    /// Whether it waits for the answer of a FUSE file system; the function is in the kernel's fs/fuse/dev.c.
    var waitsForVolume: Bool { waitsIn == "request_wait_answer" }

    var description: String { "\(process)/\(thread) \(name) \(state) in \(waitsIn)" }

    /// All live threads of a pid namespace, which is the target of the link /proc/PID/ns/pid.
    static func all(inNamespace namespace: String) -> [KernelTask] {
        ProcessStat.all().map(\.pid)
            .filter { (try? File.readLink("/proc/\($0)/ns/pid")) == namespace }
            .flatMap(all(of:))
    }

    /// All live threads of one process.
    static func all(of process: Int32) -> [KernelTask] {
        ((try? File.list("/proc/\(process)/task")) ?? []).compactMap { Int32($0) }.compactMap { thread in
            KernelTask(process: process, thread: thread)
        }
    }

    private init?(process: Int32, thread: Int32) {
        let folder = "/proc/\(process)/task/\(thread)"
        guard let stat = try? File.read("\(folder)/stat").text,
            let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"),
            let state = stat[close...].dropFirst(2).first, !"ZX".contains(state)
        else { return nil }
        self.process = process
        self.thread = thread
        name = String(stat[stat.index(after: open)..<close])
        self.state = state
        waitsIn = (try? File.read("\(folder)/wchan").text) ?? ""
    }
}

/// The pid namespace of a pod that ends.
struct PodNamespace {
    let first: Int32
    private let namespace: String

    init(of first: Int32) throws {
        self.first = first
        namespace = try File.readLink("/proc/\(first)/ns/pid")
    }

    /// Whether the first process has called exit(2). Its entry in /proc stays until the namespace's last task is gone.
    var hasLeft: Bool { (try? File.readLink("/proc/\(first)/exe")) == nil }

    /// Sends SIGTERM to the pod while its volume hangs. Checks that `init` leaves in time, and that each task which is
    /// left waits for the volume.
    func endsInTime(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let start = ContinuousClock.now
        kill(first, SIGTERM)
        try await eventuallyTrue(
            "the end of init", within: .seconds(8), every: .milliseconds(2), sourceLocation: sourceLocation
        ) { hasLeft }
        let left = start.duration(to: .now)
        let remaining = tasks
        print("timing: SIGTERM with \(what) to the end of init \(left); left are \(remaining)")
        #expect(left < .seconds(4.5), sourceLocation: sourceLocation)
        #expect(!remaining.isEmpty, "the volume hangs, so a task waits for it", sourceLocation: sourceLocation)
        #expect(remaining.allSatisfy { $0.waitsForVolume && $0.state == "D" }, sourceLocation: sourceLocation)
    }

    /// The tasks of the namespace, without the first process once that has left.
    var tasks: [KernelTask] {
        KernelTask.all(inNamespace: namespace).filter { !(hasLeft && $0.process == first) }
    }
}
