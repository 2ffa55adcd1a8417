internal import CLinux
internal import Glibc
internal import Shared

/// The pipe or pseudoterminal into which a child process prints, with a thread that reads it.
final class OutputPipe: Sendable {
    /// The child's standard output and standard error.
    let writeEnd: Int32
    /// Fulfilled at the end of the output: when no process has the write end open, or after `cut`.
    let ended = Promise<Void>()
    private let stop: Pipe

    /// Calls `deliver` with each piece of output, masked, on the reader's thread. `deliver` may block.
    init(
        on terminal: Bool = false, mask: SecretMask = SecretMask([]),
        deliver: @escaping @Sendable (ArraySlice<UInt8>) -> Void
    ) throws(Problem) {
        let pipe = try terminal ? Pipe.terminal() : Pipe()
        let stop = try Pipe()
        writeEnd = pipe.writeEnd
        self.stop = stop
        // A larger buffer for the time when the reader is busy, fcntl(2). The default is 64 KiB.
        if !terminal { _ = fcntl(pipe.readEnd, linux_set_pipe_size, 1 << 20) }
        do {
            try DedicatedThread.start { [ended] in
                var mask = mask
                Self.read(pipe.readEnd, until: stop.readEnd) { deliver(mask.pass($0)) }
                deliver(mask.finish())
                close(pipe.readEnd)
                close(stop.readEnd)
                ended.fulfil(())
            }
        } catch {
            for end in [pipe.readEnd, pipe.writeEnd, stop.readEnd, stop.writeEnd] { close(end) }
            throw error
        }
    }

    /// Call this once the child process has its copy of the write end.
    func closeWriteEnd() { close(writeEnd) }

    /// Ends the reading even if a process has the write end open. Bytes that are in the pipe now are still read. Call
    /// this once.
    func cut() { close(stop.writeEnd) }

    private static func read(_ pipe: Int32, until stop: Int32, _ deliver: (ArraySlice<UInt8>) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        // After `cut`: the bytes that are still to be read. A process that keeps writing must not delay the end.
        var rest: Int?
        while rest != 0 {
            var descriptors = [
                pollfd(fd: pipe, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&descriptors, 2, -1) < 0 { continue }
            if rest == nil && descriptors[1].revents != 0 {
                var waiting: Int32 = 0
                _ = ioctl(pipe, UInt(FIONREAD), &waiting)
                rest = Int(waiting)
            }
            if rest == 0 || descriptors[0].revents == 0 { continue }
            let count = Glibc.read(pipe, &buffer, min(buffer.count, rest ?? buffer.count))
            // A pseudoterminal returns EIO when no process has it open, pty(7).
            if count == 0 || (count < 0 && errno != EINTR) { return }
            deliver(buffer[..<max(0, count)])
            rest = rest.map { $0 - max(0, count) }
        }
    }
}
