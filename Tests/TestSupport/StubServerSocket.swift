#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The blocking socket calls of the stub server, each with a timeout.
enum StubSocket {
    #if canImport(Darwin)
    private static let stream = SOCK_STREAM
    private static let noSignal: Int32 = 0
    #else
    private static let stream = Int32(SOCK_STREAM.rawValue)
    private static let noSignal = Int32(MSG_NOSIGNAL)
    #endif

    /// Listens on a free port of 127.0.0.1. The caller closes the socket.
    static func listen() throws -> (socket: Int32, port: UInt16) {
        let socket = socket(AF_INET, stream, 0)
        guard socket >= 0 else { throw StubError.system(errno) }
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, size) != 0 || Self.startListening(socket) != 0 || getsockname(socket, $0, &size) != 0
            }
        }
        guard !failed else {
            close(socket)
            throw StubError.system(errno)
        }
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    /// Returns nil once the listener is shut down.
    static func accept(_ listener: Int32) -> Int32? {
        while true {
            #if canImport(Darwin)
            let socket = Darwin.accept(listener, nil, nil)
            #else
            let socket = Glibc.accept(listener, nil, nil)
            #endif
            if socket < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return nil
            }
            var one: Int32 = 1
            _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
            #if canImport(Darwin)
            setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &one, socklen_t(MemoryLayout<Int32>.size))
            #endif
            return socket
        }
    }

    /// Connects to 127.0.0.1. The caller closes the socket. Returns nil if no program listens there.
    static func connect(to port: UInt16) -> Int32? {
        let socket = socket(AF_INET, stream, 0)
        guard socket >= 0 else { return nil }
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        let failed = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #if canImport(Darwin)
                Darwin.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0
                #else
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0
                #endif
            }
        }
        if !failed { return socket }
        close(socket)
        return nil
    }

    /// Returns the sockets that have something to read; nil if none has within `time`.
    static func readable(_ sockets: [Int32], within time: Duration) -> [Int32]? {
        var entries = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let (seconds, attoseconds) = time.components
        let count = poll(
            &entries, nfds_t(entries.count), Int32(seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1))
        return count > 0 ? entries.filter { $0.revents != 0 }.map(\.fd) : nil
    }

    static func write(_ bytes: [UInt8], to socket: Int32) throws {
        var sent = 0
        while sent < bytes.count {
            guard try wait(socket, for: POLLOUT, StubConnection.timeout) else { throw StubError.gaveUp }
            sent += try writeSome(bytes[sent...], to: socket)
        }
    }

    /// Reads what has come. Returns no bytes once the client has closed or reset the connection.
    static func read(from socket: Int32) throws -> [UInt8] {
        guard try wait(socket, for: POLLIN, StubConnection.timeout) else { throw StubError.gaveUp }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &buffer, buffer.count, 0)
        if count < 0, errno != ECONNRESET { throw StubError.system(errno) }
        return Array(buffer.prefix(max(count, 0)))
    }

    static func flood(_ bytes: [UInt8], into socket: Int32, limit: Int, quiet: Duration) throws -> Int {
        var sent = 0
        while sent < limit, try wait(socket, for: POLLOUT, quiet) {
            sent += try writeSome(bytes[...], to: socket)
        }
        return sent
    }

    static func shutDown(_ socket: Int32) {
        shutdown(socket, Int32(SHUT_RDWR))
    }

    static func shutDownSending(_ socket: Int32) {
        shutdown(socket, Int32(SHUT_WR))
    }

    static func close(_ socket: Int32) {
        #if canImport(Darwin)
        _ = Darwin.close(socket)
        #else
        _ = Glibc.close(socket)
        #endif
    }

    static func reset(_ socket: Int32) {
        var abort = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
        close(socket)
    }

    // MARK: -

    private static func startListening(_ socket: Int32) -> Int32 {
        #if canImport(Darwin)
        Darwin.listen(socket, 256)
        #else
        Glibc.listen(socket, 256)
        #endif
    }

    private static func writeSome(_ bytes: ArraySlice<UInt8>, to socket: Int32) throws -> Int {
        let count = bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, noSignal | Int32(MSG_DONTWAIT)) }
        guard count >= 0 else {
            if errno == EAGAIN || errno == EINTR { return 0 }
            throw StubError.system(errno)
        }
        return count
    }

    /// Returns false if nothing happened in time.
    private static func wait(_ socket: Int32, for events: Int32, _ time: Duration) throws -> Bool {
        let (seconds, attoseconds) = time.components
        let milliseconds = Int32(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        var entry = pollfd(fd: socket, events: Int16(events), revents: 0)
        while true {
            let count = poll(&entry, 1, milliseconds)
            if count >= 0 { return count > 0 }
            if errno != EINTR { throw StubError.system(errno) }
        }
    }
}
