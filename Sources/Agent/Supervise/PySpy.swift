internal import Glibc
internal import Shared

/// Returns the stacks of Python threads as py-spy sees them, if the training's PATH has it.
///
/// py-spy reads the process's memory and does not stop the process. If the container forbids ptrace(2), the output of
/// py-spy says so.
enum PySpy {
    /// For all processes together. py-spy itself may be on a volume that hangs.
    private static let timeout: Duration = .seconds(10)
    /// The first ranks are enough.
    private static let maxProcesses = 4
    /// Bytes of the output of py-spy.
    private static let maxBytes = 64 << 10

    /// Returns the output of py-spy after `mask`. Empty if there is no py-spy, or no Python process.
    static func lines(children: Children, environment: [String: String], mask: SecretMask) async -> [String] {
        let end = ContinuousClock.now + timeout
        let found = try? await DedicatedThread.run(within: timeout) {
            (try Job.find("py-spy", path: environment["PATH"]), pythons)
        }
        guard let (program, pids) = found else { return [] }
        var lines: [String] = []
        for pid in pids.prefix(maxProcesses) {
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
                    printed.update { $0 += bytes.prefix(max(0, maxBytes - $0.count)) }
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
        return isOver ? lines : lines + ["(cut off after \(timeout))"]
    }
}
