import Glibc
import Shared
import TestSupport
import Testing

/// A thread as the kernel has it, seen from outside its namespaces. Those that have ended are none.
struct KernelTask: CustomStringConvertible {
    let process: Int32
    let thread: Int32
    let name: String
    /// `D` sleeps in the kernel where no signal reaches it, proc(5).
    let state: Character
    /// The kernel's function that it sleeps in, where that can be seen.
    let waitsIn: String

    /// Whether it waits for the answer of a file system in user space, fs/fuse/dev.c of the kernel.
    var waitsForVolume: Bool { waitsIn == "request_wait_answer" }

    var description: String { "\(process)/\(thread) \(name) \(state) in \(waitsIn)" }

    /// All that are left in a pid namespace, by what /proc/PID/ns/pid leads to.
    static func all(inNamespace namespace: String) -> [KernelTask] {
        ProcessStat.all().map(\.pid)
            .filter { (try? File.readLink("/proc/\($0)/ns/pid")) == namespace }
            .flatMap(all(of:))
    }

    /// Of one process.
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

/// The pid namespace of a first process, while it ends.
struct PodNamespace {
    let first: Int32
    private let namespace: String

    init(of first: Int32) throws {
        self.first = first
        namespace = try File.readLink("/proc/\(first)/ns/pid")
    }

    /// Whether the first process has called exit(2). The kernel keeps its entry until the last task of the namespace is gone.
    var hasLeft: Bool { (try? File.readLink("/proc/\(first)/exe")) == nil }

    /// Tells the pod to end while its volume hangs: `init` has left in time, and nothing is left but who waits for the volume.
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
        #expect(!remaining.isEmpty, "the volume hangs, so somebody waits", sourceLocation: sourceLocation)
        #expect(remaining.allSatisfy { $0.waitsForVolume && $0.state == "D" }, sourceLocation: sourceLocation)
    }

    /// Without the first process, once it has left.
    var tasks: [KernelTask] {
        KernelTask.all(inNamespace: namespace).filter { !(hasLeft && $0.process == first) }
    }
}
