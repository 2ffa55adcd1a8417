internal import Glibc
internal import Shared

/// The processes below this one. Both `init` and `serve` are subreapers, so nothing that a training starts can leave the tree.
enum ProcessTree {
    /// Those that still run.
    static var running: [ProcessStat] {
        ProcessStat.descendants(of: getpid()).filter { !$0.isZombie }
    }

    /// Returns how many there were.
    static func signal(_ number: Int32) -> Int {
        let found = running
        for process in found { kill(process.pid, number) }
        return found.count
    }

    /// One pass of SIGKILL over all of them; how many there were. A tree that forks needs several.
    static func killAll() -> Int {
        // A group is killed in one step, so one that forks without end cannot outrun the pass.
        let own = getpgrp()
        let found = running
        for process in found {
            if process.group > 0 && process.group != own { kill(-process.group, SIGKILL) }
            kill(process.pid, SIGKILL)
        }
        return found.count
    }
}
