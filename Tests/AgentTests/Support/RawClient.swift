import Glibc
import Shared

@testable import Agent

/// A client that reads when it is told to.
final class RawClient: Sendable {
    private let socket: Int32

    init(port: Int) throws {
        socket = try Errno.check { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var size: Int32 = 64 << 10
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian  // 127.0.0.1
        try Errno.check {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }

    deinit { close(socket) }

    func send(_ text: String) throws { try File.write(Array(text.utf8)[...], to: socket) }

    func send(_ bytes: [UInt8]) throws { try File.write(bytes[...], to: socket) }

    /// Says that nothing more will be sent.
    func end() { shutdown(socket, Int32(SHUT_WR)) }

    /// Sends zeros until the server has taken none for `quiet`. Returns how many the kernel took, with its buffers.
    func flood(limit: Int, quiet: Duration) throws -> Int {
        let zeros = [UInt8](repeating: 0, count: 64 << 10)
        var sent = 0
        while sent < limit {
            var entry = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            guard poll(&entry, 1, Int32(quiet.milliseconds)) > 0 else { break }
            sent += try Errno.check {
                Glibc.send(socket, zeros, min(zeros.count, limit - sent), Int32(MSG_DONTWAIT))
            }
        }
        return sent
    }

    /// Empty at the end of the connection, and where the server cut it off.
    func receive(limit: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        do {
            let count = try buffer.withUnsafeMutableBytes { try File.read(socket, into: $0) }
            return Array(buffer[..<count])
        } catch let error as Errno where error.code == ECONNRESET {
            return []
        }
    }

    func receiveAll() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while case let piece = try receive(limit: 64 << 10), !piece.isEmpty { bytes += piece }
        return bytes
    }
}
