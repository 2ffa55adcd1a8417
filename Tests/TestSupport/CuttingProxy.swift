import Foundation
import Synchronization

/// Passes connections on to another port of 127.0.0.1 and cuts each after a random short time, at random with a reset.
public final class CuttingProxy: Sendable {
    public let port: UInt16
    private let listener: Int32
    private let state: Mutex<(dice: SeededGenerator, cuts: Int)>

    /// `lives` is the range of a connection's life in milliseconds.
    public init(to target: UInt16, lives: ClosedRange<Int>, seed: Int) throws {
        (listener, port) = try StubSocket.listen()
        state = Mutex((SeededGenerator(seed: seed), 0))
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while let socket = StubSocket.accept(listener) {
                guard let self else {
                    StubSocket.close(socket)
                    break
                }
                let (life, isReset) = self.state.withLock { state in
                    (Int.random(in: lives, using: &state.dice), Bool.random(using: &state.dice))
                }
                Thread.detachNewThread { [weak self] in
                    let isCut = Self.pass(socket, to: target, for: .milliseconds(life))
                    if isCut { self?.state.withLock { $0.cuts += 1 } }
                    isReset ? StubSocket.reset(socket) : StubSocket.close(socket)
                }
            }
            StubSocket.close(listener)
        }
    }

    deinit { StubSocket.shutDown(listener) }

    /// The number of connections that were cut so far.
    public var cuts: Int { state.withLock(\.cuts) }

    /// Returns true once the time is over, and false if one of the two sides ends before.
    private static func pass(_ client: Int32, to target: UInt16, for life: Duration) -> Bool {
        guard let server = StubSocket.connect(to: target) else { return false }
        defer { StubSocket.close(server) }
        let deadline = ContinuousClock.now + life
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return true }
            guard let ready = StubSocket.readable([client, server], within: left) else { return true }
            for socket in ready {
                guard let bytes = try? StubSocket.read(from: socket), !bytes.isEmpty,
                    (try? StubSocket.write(bytes, to: socket == client ? server : client)) != nil
                else { return false }
            }
        }
    }
}
