import Foundation
import Synchronization

/// Passes connections on to another port of 127.0.0.1, or answers requests itself as a proxy does whose server is out
/// of reach.
public final class FailingProxy: Sendable {
    public let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    private struct State {
        var answer: [UInt8]?
        /// A connection that began under another number is cut.
        var generation = 0
        var answered = 0
    }

    public init(to target: UInt16) throws {
        (listener, port) = try StubSocket.listen()
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while let socket = StubSocket.accept(listener) {
                guard let self else {
                    StubSocket.close(socket)
                    break
                }
                Thread.detachNewThread { [weak self] in
                    self?.serve(socket, target)
                    StubSocket.close(socket)
                }
            }
            StubSocket.close(listener)
        }
    }

    deinit { StubSocket.shutDown(listener) }

    /// Cuts all connections. From now on each request gets `answer`, or reaches the server if it is nil.
    public func answer(_ answer: String?) {
        state.withLock { state in
            state.answer = answer.map { Array($0.utf8) }
            state.generation += 1
        }
    }

    /// The number of requests that did not reach the server.
    public var answered: Int { state.withLock(\.answered) }

    private func serve(_ client: Int32, _ target: UInt16) {
        let (answer, generation) = state.withLock { ($0.answer, $0.generation) }
        guard let answer else { return pass(client, to: target, generation) }
        var request: [UInt8] = []
        while !request.contains(Array("\r\n\r\n".utf8)) {
            guard StubSocket.readable([client], within: .seconds(10)) != nil,
                let bytes = try? StubSocket.read(from: client), !bytes.isEmpty
            else { return }
            request += bytes
        }
        state.withLock { $0.answered += 1 }
        try? StubSocket.write(answer, to: client)
    }

    private func pass(_ client: Int32, to target: UInt16, _ generation: Int) {
        guard let server = StubSocket.connect(to: target) else { return }
        defer { StubSocket.close(server) }
        while state.withLock({ $0.generation }) == generation {
            for socket in StubSocket.readable([client, server], within: .milliseconds(20)) ?? [] {
                guard let bytes = try? StubSocket.read(from: socket), !bytes.isEmpty,
                    (try? StubSocket.write(bytes, to: socket == client ? server : client)) != nil
                else { return }
            }
        }
    }
}
