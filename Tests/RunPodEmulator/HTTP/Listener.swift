import Foundation
import Glibc

/// Accepts connections on all addresses of this machine, and hands each to `serve` on a thread of its own.
struct Listener {
    let port: UInt16
    private let socket: Int32

    init(port: UInt16) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
        var address = IPv4(host: 0, port: port).address
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, length) == 0 && getsockname(socket, address, &length) == 0
            }
        }
        guard isBound, listen(socket, 256) == 0 else { throw EmulatorError("cannot listen on port \(port)") }
        self.socket = socket
        self.port = UInt16(bigEndian: address.sin_port)
    }

    func run(_ serve: @escaping @Sendable (Connection) -> Void) {
        while true {
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let client = withUnsafeMutablePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { accept(socket, $0, &length) }
            }
            guard client >= 0 else { continue }
            // Only this machine and its pods.
            guard [10, 127].contains(UInt32(bigEndian: peer.sin_addr.s_addr) >> 24) else {
                close(client)
                continue
            }
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            Thread.detachNewThread { serve(Connection(client)) }
        }
    }
}

/// An address of IPv4 and a port.
struct IPv4 {
    var host: UInt32
    var port: UInt16

    var address: sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return address
    }

    /// A connection to it; nil if it is refused.
    func connect() -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = address
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return socket }
        close(socket)
        return nil
    }
}

struct EmulatorError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
