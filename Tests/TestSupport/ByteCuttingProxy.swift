import Foundation
import Synchronization

/// Passes connections on to another port of 127.0.0.1. It cuts as many as it was told to, each after a random number of
/// bytes, and lets the others pass.
public final class ByteCuttingProxy: Sendable {
    public let port: UInt16
    private let listener: Int32
    private let state: Mutex<State>

    private struct State {
        var dice: SeededGenerator
        var left: Int
        var cuts = 0

        /// The bytes that the next connection may pass; nil for all.
        mutating func budget(_ lives: ClosedRange<Int>) -> Int? {
            guard left > 0 else { return nil }
            return Int.random(in: lives, using: &dice)
        }
    }

    /// `lives` is how many bytes a connection passes, in both directions, before it is cut.
    public init(to target: UInt16, lives: ClosedRange<Int>, cuts: Int, seed: Int) throws {
        (listener, port) = try StubSocket.listen()
        state = Mutex(State(dice: SeededGenerator(seed: seed), left: cuts))
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while let socket = StubSocket.accept(listener) {
                guard let self else {
                    StubSocket.close(socket)
                    break
                }
                let budget = self.state.withLock { $0.budget(lives) }
                Thread.detachNewThread { [weak self] in
                    if Self.pass(socket, to: target, budget ?? .max) {
                        self?.state.withLock { state in
                            state.left -= 1
                            state.cuts += 1
                        }
                        StubSocket.reset(socket)
                    } else {
                        StubSocket.close(socket)
                    }
                }
            }
            StubSocket.close(listener)
        }
    }

    deinit { StubSocket.shutDown(listener) }

    /// Connections that were cut so far.
    public var cuts: Int { state.withLock(\.cuts) }

    /// Returns whether the budget was used up; false if one of the two sides ended first.
    private static func pass(_ client: Int32, to target: UInt16, _ budget: Int) -> Bool {
        guard let server = StubSocket.connect(to: target) else { return false }
        defer { StubSocket.close(server) }
        var left = budget
        while left > 0 {
            guard let ready = StubSocket.readable([client, server], within: .seconds(60)) else { return false }
            for socket in ready {
                guard let bytes = try? StubSocket.read(from: socket), !bytes.isEmpty,
                    (try? StubSocket.write(Array(bytes.prefix(left)), to: socket == client ? server : client)) != nil
                else { return false }
                left -= min(left, bytes.count)
            }
        }
        return true
    }
}
