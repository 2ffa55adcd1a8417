import Glibc
import Shared
import TestSupport

@testable import Agent

/// Bytes to a port of this machine, and all that comes back.
enum Exchange {
    /// The server's reply to `text`, up to the end of the connection.
    static func run(_ text: String, port: Int) async throws -> String {
        try await within(.seconds(60), "the end of the connection") {
            try await DedicatedThread.run {
                let peer = try Errno.check { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
                defer { close(peer) }
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = in_port_t(port).bigEndian
                address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian  // 127.0.0.1
                try Errno.check {
                    withUnsafePointer(to: &address) { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            connect(peer, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                        }
                    }
                }
                try File.write(Array(text.utf8)[...], to: peer)
                var answer: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 64 << 10)
                while true {
                    let count = try buffer.withUnsafeMutableBytes { try File.read(peer, into: $0) }
                    if count == 0 { return answer.text }
                    answer += buffer[..<count]
                }
            }
        }
    }
}
