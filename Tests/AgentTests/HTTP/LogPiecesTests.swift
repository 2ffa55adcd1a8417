import NIOCore
import Shared
import TestSupport
import Testing

@testable import Agent

/// The pieces of the log, which its readers share.
@Suite struct LogPiecesTests {
    private let pieces = LogPieces()
    private let loads = Monitor<[Range<Int>]>([])

    /// A log whose byte n is n, cut to eight bits.
    private func load(_ range: Range<Int>) -> ByteBuffer {
        loads.update { $0.append(range) }
        return ByteBuffer(bytes: range.map { UInt8(truncatingIfNeeded: $0) })
    }

    private func read(_ offset: Int, before end: Int) async throws -> [UInt8] {
        try await pieces.read(at: offset, before: end) { load($0) }.readableBytesView.map { $0 }
    }

    private var asked: [Range<Int>] { loads.read { $0 } }

    @Test("fifty readers of the same piece of the log cause one read of the volume")
    func oneRead() async throws {
        let gate = Gate()
        let readers = (0..<50).map { _ in
            Task { [pieces] in
                try await pieces.read(at: 0, before: 100) {
                    gate.pass()
                    return load($0)
                }
            }
        }
        try await eventuallyTrue(within: .seconds(60)) { gate.isReached }
        gate.open()
        for reader in readers { #expect(try await reader.value.readableBytes == 100) }
        #expect(asked == [0..<100])
    }

    @Test("readers at different offsets share the same pieces of the log")
    func sharedPieces() async throws {
        let end = 3 * LogPieces.size
        for start in [0, 1, 70_000, LogPieces.size - 1] {
            var bytes: [UInt8] = []
            while start + bytes.count < end { bytes += try await read(start + bytes.count, before: end) }
            #expect(bytes == (start..<end).map { UInt8(truncatingIfNeeded: $0) })
        }
        #expect(asked == [0, 1, 2].map { $0 * LogPieces.size..<($0 + 1) * LogPieces.size })
    }

    @Test("a reader of the log gets no byte at or beyond the end that it gives")
    func beforeTheEnd() async throws {
        #expect(try await read(10, before: 30).count == 20)
        #expect(try await read(15, before: 20) == [15, 16, 17, 18, 19])
        #expect(try await read(29, before: 200).count == 1)
        #expect(try await read(30, before: 200).count == 170)
        #expect(asked == [10..<30, 30..<200])
    }

    @Test("recent pieces of the log are kept, older ones are read again")
    func bounded() async throws {
        for number in 0..<40 { _ = try await read(number * LogPieces.size, before: 100 * LogPieces.size) }
        #expect(asked.count == 40)
        _ = try await read(39 * LogPieces.size, before: 100 * LogPieces.size)
        #expect(asked.count == 40)
        _ = try await read(0, before: 100 * LogPieces.size)
        #expect(asked.count == 41)
    }

    @Test("a read of the log that fails is an error, and the next reader tries it again")
    func failure() async throws {
        await #expect(throws: Problem.self) {
            try await pieces.read(at: 0, before: 10) { _ in throw Problem("the volume is away") }
        }
        #expect(try await read(0, before: 10).count == 10)
    }

    @Test("a read of the log that hangs holds up no reader of another piece, and can be cancelled")
    func hangingRead() async throws {
        let gate = Gate()
        let hung = (0..<3).map { number in
            Task { [pieces] in
                try await pieces.read(at: number * LogPieces.size, before: 100 * LogPieces.size) { _ in
                    gate.pass()
                    return ByteBuffer()
                }
            }
        }
        try await eventuallyTrue(within: .seconds(60)) { gate.isReached }
        let other = try await within(.seconds(60), "another piece") {
            try await read(50 * LogPieces.size, before: 51 * LogPieces.size)
        }
        #expect(other.count == LogPieces.size)
        for task in hung {
            task.cancel()
            await #expect(throws: CancellationError.self) {
                try await within(.seconds(60), "the end of the reader") { try await task.value }
            }
        }
        gate.open()
    }
}
