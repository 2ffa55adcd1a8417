import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct OutputPipeTests {
    private let got = Monitor<[UInt8]>([])

    private func pipe() throws -> OutputPipe {
        try OutputPipe { [got] bytes in got.update { $0 += bytes } }
    }

    private func print(_ text: String, into file: Int32) throws {
        try File.write(Array(text.utf8)[...], to: file)
    }

    private func end(of pipe: OutputPipe) async throws {
        try await within(.seconds(60), "the end of the output") { await pipe.ended.value }
    }

    @Test("a reader of the output gets every byte up to the end")
    func toTheEnd() async throws {
        let pipe = try pipe()
        let bytes = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try DedicatedThread.start {
            try? File.write(bytes[...], to: pipe.writeEnd)
            pipe.closeWriteEnd()
        }
        try await end(of: pipe)
        #expect(got.update { $0 == bytes })
        pipe.cut()
    }

    @Test("the output ends when its last writer closes it")
    func lastWriter() async throws {
        let pipe = try pipe()
        let other = dup(pipe.writeEnd)
        pipe.closeWriteEnd()
        try print("a", into: other)
        try await eventuallyTrue(within: .seconds(60)) { got.update { $0.text } == "a" }
        #expect(pipe.ended.valueIfFulfilled == nil)
        try print("b", into: other)
        close(other)
        try await end(of: pipe)
        #expect(got.update { $0.text } == "ab")
        pipe.cut()
    }

    @Test("an output that is cut ends with what was written, although a writer holds it open")
    func cutWhileHeld() async throws {
        let pipe = try pipe()
        try print("what is there is still read", into: pipe.writeEnd)
        pipe.cut()
        try await end(of: pipe)
        #expect(got.update { $0.text } == "what is there is still read")
        pipe.closeWriteEnd()
    }

    /// A process that the training left behind may print without end.
    @Test("an output that is cut ends although a writer never stops printing")
    func cutWhilePrinting() async throws {
        let isOver = Monitor(false)
        let writer = Monitor<Int32?>(nil)
        let pipe = try OutputPipe { [got] bytes in
            got.update { $0 += bytes.prefix(1) }
            var waiting: Int32 = 0
            let writer: Int32 = writer.wait { $0 }
            while waiting == 0 && !isOver.update({ $0 }) {
                _ = ioctl(writer, UInt(FIONREAD), &waiting)
                sched_yield()
            }
        }
        signal(SIGPIPE, SIG_IGN)
        try DedicatedThread.start {
            let bytes = [UInt8](repeating: UInt8(ascii: "y"), count: 64 << 10)
            while !isOver.update({ $0 }) && Glibc.write(pipe.writeEnd, bytes, bytes.count) > 0 {}
            pipe.closeWriteEnd()
        }
        writer.update { $0 = pipe.writeEnd }
        defer { isOver.update { $0 = true } }
        try await eventuallyTrue(within: .seconds(60)) { got.update { $0.count > 3 } }
        pipe.cut()
        try await end(of: pipe)
    }

    @Test("a busy reader holds up the writer, and no byte is lost")
    func busyReader() async throws {
        let gate = Gate()
        let pipe = try OutputPipe { [got] bytes in
            gate.pass()
            got.update { $0 += bytes }
        }
        let written = Monitor(0)
        let piece = [UInt8](repeating: 7, count: 64 << 10)
        try DedicatedThread.start {
            for _ in 0..<64 {
                try? File.write(piece[...], to: pipe.writeEnd)
                written.update { $0 += piece.count }
            }
            pipe.closeWriteEnd()
        }
        try await eventuallyTrue(within: .seconds(60)) { gate.isReached && written.update { $0 } >= 1 << 20 }
        // At most a pipe of 1 MiB and a piece of 256 KiB are in flight.
        #expect(written.update { $0 } <= (1 << 20) + (256 << 10))
        gate.open()
        try await end(of: pipe)
        #expect(got.update { $0.count } == 64 * piece.count)
        pipe.cut()
    }
}
