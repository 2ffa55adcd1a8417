import Foundation
import HTTPClient
import TestSupport
import Testing

@Suite("Resources of the HTTP client", .timeLimit(.minutes(2)))
struct ResourceTests {
    @Test("an HTTP connection closes on exec, so no child process inherits it")
    func closeOnExec() async throws {
        let isOver = StubSignal()
        let server = try StubServer { connection in
            try connection.sendHead()
            try isOver.block()
        }
        let exchange = try await CurlTransport().open(HTTPRequest("GET", server.url()))
        let flags = (0..<Int32(4096)).filter { port(of: $0) == server.port }.map { fcntl($0, F_GETFD) }
        #expect(flags == [FD_CLOEXEC])
        withExtendedLifetime(exchange) { isOver.fire() }
    }

    /// Returns the port of the peer if `descriptor` is a connected socket, else nil.
    private func port(of descriptor: Int32) -> UInt16? {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) }
        }
        return code == 0 ? UInt16(bigEndian: address.sin_port) : nil
    }

    #if os(Linux)
    @Test("finished, failed and dropped HTTP requests leave no thread and no descriptor behind")
    func leaks() async {
        // The counts cover a whole process, so an exit test takes them in a process of its own.
        await #expect(processExitsWith: .success) {
            let transport = CurlTransport()
            let server = try StubServer { connection in
                switch connection.request.target {
                case "/whole": try connection.respond(200, body: "whole")
                case "/cut": try connection.sendHead(headers: [("Content-Length", "9")])
                default:
                    try connection.sendHead()
                    try connection.send("x")
                    try connection.waitForClose()
                }
            }
            // The server never speaks TLS, so this request times out while it connects.
            let hasty = HTTPRequest(
                "GET", "https://127.0.0.1:\(server.port)/", timeouts: HTTPTimeouts(connect: .milliseconds(5)))
            func request(_ number: Int) async throws {
                switch number % 4 {
                case 0: #expect(try await transport.send(HTTPRequest("GET", server.url("/whole"))).text == "whole")
                case 1: _ = try? await transport.send(HTTPRequest("GET", server.url("/cut")))
                case 2: _ = try await transport.open(HTTPRequest("GET", server.url("/dropped"))).head
                default: _ = try? await transport.send(hasty)
                }
            }
            // Warm up what a process creates only once: the runtime's threads, OpenSSL's tables.
            for number in 0..<8 { try await request(number) }
            let before = try await Usage.settled(below: nil)
            for number in 0..<200 { try await request(number) }
            let after = try await Usage.settled(below: before)
            #expect(after.descriptors <= before.descriptors && after.threads <= before.threads)
        }
    }
    #endif
}

/// How many descriptors and threads this process has.
private struct Usage {
    var descriptors: Int
    var threads: Int

    static func now() throws -> Usage {
        Usage(
            descriptors: try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count,
            threads: try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count)
    }

    /// Counts again until the usage is at most `target`. If `target` is nil, until ten counts in a row did not change.
    /// Returns the last count, after at most 10 s.
    static func settled(below target: Usage?) async throws -> Usage {
        let deadline = ContinuousClock.now + .seconds(10)
        var (last, same) = (try now(), 0)
        while ContinuousClock.now < deadline {
            if let target {
                if last.descriptors <= target.descriptors, last.threads <= target.threads { break }
            } else if same == 10 {
                break
            }
            try await Task.sleep(for: .milliseconds(20))
            let next = try now()
            same = next.descriptors == last.descriptors && next.threads == last.threads ? same + 1 : 0
            last = next
        }
        return last
    }
}
