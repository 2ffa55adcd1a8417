internal import Glibc
internal import Shared

/// The processes below this one. `init` and `serve` are subreapers, so that no process of a training can leave the
/// tree.
enum ProcessTree {
    /// The processes of the tree that are not zombies.
    static var running: [ProcessStat] {
        ProcessStat.descendants(of: getpid()).filter { !$0.isZombie }
    }

    /// Sends the signal to each process of the tree. Returns how many there were.
    static func signal(_ number: Int32) -> Int {
        let found = running
        for process in found { kill(process.pid, number) }
        return found.count
    }

    /// Sends SIGKILL to each process of the tree once. Returns how many there were. A tree that forks needs several
    /// passes.
    static func killAll() -> Int {
        // A process group is killed in one step, so that one which forks without end cannot outrun the pass.
        let own = getpgrp()
        let found = running
        for process in found {
            if process.group > 0 && process.group != own { kill(-process.group, SIGKILL) }
            kill(process.pid, SIGKILL)
        }
        return found.count
    }
}
