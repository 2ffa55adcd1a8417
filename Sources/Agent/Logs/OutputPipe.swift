internal import CLinux
internal import Glibc
internal import Shared
internal import Synchronization

/// The pipe that a child prints into, read by a thread of its own.
final class OutputPipe: Sendable {
    /// What the child gets as its output.
    let writeEnd: Int32
    /// Kept at the end of the output: when nobody holds the write end any more, or the reader was told to stop.
    let ended = Promise<Void>()
    private let stop: Pipe

    /// `deliver` gets each piece as it is read, on the reader's thread, and may block it.
    init(deliver: @escaping @Sendable (ArraySlice<UInt8>) -> Void) throws(Problem) {
        let pipe = try Pipe()
        let stop = try Pipe()
        writeEnd = pipe.writeEnd
        self.stop = stop
        // What a pipe holds while the reader is busy, fcntl(2); the default is 64 KiB.
        _ = fcntl(pipe.readEnd, linux_set_pipe_size, 1 << 20)
        DedicatedThread.start { [ended] in
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            /// Bytes that are still read: once told to stop, those that were in the pipe by then.
            var rest = Int32.max
            while rest > 0 {
                var descriptors = [
                    pollfd(fd: pipe.readEnd, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: stop.readEnd, events: Int16(POLLIN), revents: 0),
                ]
                if poll(&descriptors, 2, -1) < 0 { continue }
                if descriptors[0].revents == 0 { break }
                if descriptors[1].revents != 0 && rest == .max { _ = ioctl(pipe.readEnd, UInt(FIONREAD), &rest) }
                let count = Glibc.read(pipe.readEnd, &buffer, min(buffer.count, Int(rest)))
                if rest != .max { rest -= Int32(max(0, count)) }
                if count == 0 || (count < 0 && errno != EINTR) { break }
                deliver(buffer[..<max(0, count)])
            }
            close(pipe.readEnd)
            close(stop.readEnd)
            ended.keep(())
        }
    }

    /// To be called once the child has its copy of the write end.
    func closeWriteEnd() { close(writeEnd) }

    /// Ends the reading although somebody still holds the write end. What is in the pipe by then is still read.
    func cut() { close(stop.writeEnd) }
}
