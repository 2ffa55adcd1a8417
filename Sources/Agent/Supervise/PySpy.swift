internal import Glibc
internal import Shared

/// Where each thread of a Python process stands, by py-spy, where the training's PATH has it.
///
/// It reads the process's memory and never stops it. What it cannot read (ptrace(2) may be forbidden in a container) it says.
enum PySpy {
    /// For all processes together. What takes longer is left out: the program may be on a volume that hangs.
    private static let patience: Duration = .seconds(10)
    /// Processes that are looked at: of many ranks the first ones tell enough.
    private static let most = 4
    /// Bytes of what it prints.
    private static let room = 64 << 10

    /// Nothing where there is no py-spy, or no Python. What it prints passes `mask`.
    static func lines(children: Children, environment: [String: String], mask: SecretMask) async -> [String] {
        let end = ContinuousClock.now + patience
        let found = try? await DedicatedThread.run(within: patience) {
            (try Job.find("py-spy", path: environment["PATH"]), pythons)
        }
        guard let (program, pids) = found else { return [] }
        var lines: [String] = []
        for pid in pids.prefix(most) {
            let arguments = [program, "dump", "--nonblocking", "--pid", "\(pid)"]
            let output = await output(of: arguments, children, environment, mask, until: end)
            lines += ["py-spy of pid \(pid):"] + output.map { "  \($0)" }
        }
        return lines
    }

    private static var pythons: [pid_t] {
        ProcessTree.running.map(\.pid).filter { pid in
            (try? File.readLink("/proc/\(pid)/exe"))?.lastComponent.hasPrefix("python") == true
        }
    }

    private static func output(
        of arguments: [String], _ children: Children, _ environment: [String: String], _ mask: SecretMask,
        until end: ContinuousClock.Instant
    ) async -> [String] {
        let printed = Monitor<[UInt8]>([])
        guard
            let output = try? OutputPipe(
                mask: mask,
                deliver: { bytes in
                    printed.update { $0 += bytes.prefix(max(0, room - $0.count)) }
                })
        else { return [] }
        let started = Promise<Child?>()
        let job = Job(arguments: arguments, environment: environment, folder: "/", output: output.writeEnd)
        do {
            try DedicatedThread.start {
                started.fulfil(try? children.start(job))
                output.closeWriteEnd()
            }
        } catch {
            output.closeWriteEnd()
            output.cut()
            return []
        }
        let child = await started.value(within: end - .now) ?? nil
        let isOver = await child?.exit.value(within: end - .now) != nil
        if let child, !isOver { kill(child.pid, SIGKILL) }
        _ = await output.ended.value(within: .seconds(1))
        output.cut()
        let lines = printed.read { $0 }.text.split(separator: "\n").map(String.init)
        return isOver ? lines : lines + ["(no more of it within \(patience))"]
    }
}
