import Foundation
import Glibc

/// One life of a pod's container: a process tree with namespaces of its own. Its first process is an init, the pod's
/// program the init's child.
final class Container: @unchecked Sendable {
    struct Plan {
        /// Name of the network namespace and of its link to this machine.
        var network: String
        /// Folder of the container's disk. It outlives the container, not a stop of the pod.
        var disk: String
        /// `FOLDER:PATH` for each volume.
        var mounts: [String]
        var variables: [String: String]
        var command: [String]
        /// Copied into the image as `/usr/local/bin/pod-agent`.
        var agent: String
    }

    private let process = Process()
    private let done = DispatchSemaphore(value: 0)
    private let lock = NSLock()
    private var hasEnded = false

    /// The script beside this file's folder.
    static let script =
        "\(URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path)/pod.sh"

    /// Starts it. `ended` is called once every process is gone.
    init(_ plan: Plan, log: PodLog, ended: @escaping @Sendable () -> Void) throws {
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments =
            [Self.script, "run", plan.network, plan.disk, plan.agent, "\(plan.mounts.count)"] + plan.mounts
            + plan.command
        process.environment = plan.variables
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        log.add("system", "create container")
        try process.run()
        log.add("system", "start container")
        Thread.detachNewThread { Self.copy(output.fileHandleForReading.fileDescriptor, to: log, keeping: output) }
        Thread.detachNewThread { [self] in
            process.waitUntilExit()
            lock.withLock { hasEnded = true }
            done.signal()
            ended()
        }
    }

    private static func copy(_ file: Int32, to log: PodLog, keeping pipe: Pipe) {
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while case let count = read(file, &buffer, buffer.count), count > 0 {
            rest += buffer[..<count]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                log.add("container", String(decoding: rest[..<end], as: UTF8.self))
                rest.removeFirst(end + 1)
            }
        }
        withExtendedLifetime(pipe) {}
    }

    /// Whether every process of it is gone.
    var isOver: Bool { lock.withLock { hasEnded } }

    /// SIGTERM to the first process, SIGKILL after `grace` seconds. Returns once all is gone.
    func end(grace: Double) {
        // The script passes SIGTERM on, and ends with its namespace.
        if !lock.withLock({ hasEnded }) { kill(process.processIdentifier, SIGTERM) }
        if done.wait(timeout: .now() + grace) == .timedOut {
            Self.killTree(process.processIdentifier)
            done.wait()
        }
        done.signal()
    }

    /// SIGKILL at once.
    func kill9() { Self.killTree(process.processIdentifier) }

    /// The child of the script is `unshare`, which ends its namespace when it dies.
    private static func killTree(_ pid: Int32) {
        let children =
            (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8))?
            .split(separator: " ").compactMap { Int32($0) } ?? []
        for child in children { kill(child, SIGKILL) }
        if children.isEmpty { kill(pid, SIGKILL) }
    }
}
