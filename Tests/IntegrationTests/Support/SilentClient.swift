import Glibc
import Shared
import Testing

/// An HTTP client that sends a request and never reads the response.
final class SilentClient: Sendable {
    private let socket: Int32

    /// `address` has the form `http://127.0.0.1:PORT`.
    init(asking path: String, of address: String, token: String) throws {
        let port = try #require(UInt16(address.split(separator: ":").last ?? ""))
        let socket = try Errno.check { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = port.bigEndian
        peer.sin_addr.s_addr = inet_addr("127.0.0.1")
        self.socket = socket
        try Errno.check {
            withUnsafePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        let request = "GET \(path) HTTP/1.1\r\nHost: agent\r\nAuthorization: Bearer \(token)\r\n\r\n"
        try File.write(Array(request.utf8)[...], to: socket)
    }

    deinit { close(socket) }
}
