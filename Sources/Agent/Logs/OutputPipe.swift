internal import CLinux
internal import Glibc
internal import Shared

/// The pipe or the pseudoterminal that a child prints into, read by a thread of its own.
final class OutputPipe: Sendable {
    /// What the child gets as its output.
    let writeEnd: Int32
    /// Kept at the end of the output: when nobody holds the write end any more, or the reader was told to stop.
    let ended = Promise<Void>()
    private let stop: Pipe

    /// `deliver` gets each piece as it is read and `mask` has let it through, on the reader's thread, and may block it.
    init(
        on terminal: Bool = false, mask: SecretMask = SecretMask([]),
        deliver: @escaping @Sendable (ArraySlice<UInt8>) -> Void
    ) throws(Problem) {
        let pipe = try terminal ? Pipe.terminal() : Pipe()
        let stop = try Pipe()
        writeEnd = pipe.writeEnd
        self.stop = stop
        // What a pipe holds while the reader is busy, fcntl(2); the default is 64 KiB.
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

    /// To be called once the child has its copy of the write end.
    func closeWriteEnd() { close(writeEnd) }

    /// Ends the reading although somebody may still hold the write end. What is in the pipe by then is still read.
    /// To be called once.
    func cut() { close(stop.writeEnd) }

    private static func read(_ pipe: Int32, until stop: Int32, _ deliver: (ArraySlice<UInt8>) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        // Known once the reader was told to stop: a writer that goes on must not hold it up.
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
            // A terminal that nobody has open any more answers EIO, pty(7).
            if count == 0 || (count < 0 && errno != EINTR) { return }
            deliver(buffer[..<max(0, count)])
            rest = rest.map { $0 - max(0, count) }
        }
    }
}
