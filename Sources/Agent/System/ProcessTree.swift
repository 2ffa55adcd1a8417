internal import Glibc
internal import Shared

/// The processes below this one. Both `init` and `serve` are subreapers, so nothing that a training starts can leave the tree.
enum ProcessTree {
    /// Those that still run; zombies only wait to be reaped.
    static var running: [ProcessStat] {
        ProcessStat.descendants(of: getpid()).filter { $0.state != "Z" }
    }

    static func signal(_ number: Int32) {
        for process in running { kill(process.pid, number) }
    }

    /// One pass of SIGKILL over all of them; true where there was none. A tree that forks needs several.
    @discardableResult
    static func killAll() -> Bool {
        // A group is killed in one step, so one that forks without end cannot outrun the pass.
        let own = getpgrp()
        let found = running
        for process in found {
            if process.group > 0 && process.group != own { kill(-process.group, SIGKILL) }
            kill(process.pid, SIGKILL)
        }
        return found.isEmpty
    }
}
