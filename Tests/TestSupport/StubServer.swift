import Foundation
import Synchronization

/// A server whose every byte the test decides: for each connection it runs a script on a thread of its own.
///
/// The script gets a connection whose request has been read. When the script returns or throws, the server closes the
/// connection normally. Nothing here waits for ever: reads and writes give up after `StubConnection.timeout`.
///
/// ```swift
/// let server = try StubServer { connection in
///     try connection.respond(200, body: "hello")
/// }
/// ```
///
/// It listens on a free port of 127.0.0.1 until it is deinitialised.
public final class StubServer: Sendable {
    public typealias Script = @Sendable (StubConnection) throws -> Void

    public let port: UInt16
    private let listener: Int32
    private let live = Mutex<(connections: [Int: StubConnection], accepted: Int, isOpen: Bool)>(([:], 0, true))

    /// - Parameter readsRequest: False gives the script the connection without a request, for other protocols than HTTP.
    public init(readsRequest: Bool = true, _ script: @escaping Script) throws {
        (listener, port) = try StubSocket.listen()
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while let socket = StubSocket.accept(listener) {
                guard let self else {
                    StubSocket.close(socket)
                    break
                }
                self.serve(socket, readsRequest, script)
            }
            StubSocket.close(listener)
        }
    }

    deinit {
        live.withLock {
            $0.isOpen = false
            for connection in $0.connections.values { connection.shutDown() }
        }
        StubSocket.shutDown(listener)
    }

    /// `http://127.0.0.1:PORT` and then `path`.
    public func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// The number of connections accepted so far.
    public var accepted: Int { live.withLock { $0.accepted } }

    private func serve(_ socket: Int32, _ readsRequest: Bool, _ script: @escaping Script) {
        let connection = StubConnection(socket)
        let number = live.withLock {
            $0.accepted += 1
            $0.connections[$0.accepted] = connection
            return $0.accepted
        }
        Thread.detachNewThread { [weak self] in
            do {
                if readsRequest { try connection.readRequest() }
                try script(connection)
            } catch {
                // In many tests the client leaves. They check the client's side.
            }
            self?.live.withLock { $0.connections[number] = nil }
            connection.close()
        }
    }
}
