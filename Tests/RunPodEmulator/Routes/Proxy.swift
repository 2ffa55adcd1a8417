import Foundation
import Glibc

/// `/proxy/ID-PORT/…`: passes a request to a port of a pod, byte by byte. It asks for no key.
struct Proxy {
    let account: Account

    /// Silence that ends a request, in milliseconds.
    private static let silence: Int32 = 100_000
    /// Bytes of the longest body.
    private static let maxBody = 100_000_000

    func serve(_ connection: Connection) {
        let request = connection.request
        let words = request.target.dropFirst("/proxy/".count).split(
            separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = words[0].split(separator: "-")
        guard parts.count == 2, let port = UInt16(parts[1]), let pod = account.pod(String(parts[0])),
            pod.ports.contains("\(port)/http")
        else { return connection.send(.edge(404, "not found")) }
        if let length = request["Content-Length"].flatMap({ Int($0) }), length > Self.maxBody {
            return connection.send(.edge(413, "payload too large"))
        }
        guard pod.containerStarted != nil, let upstream = account.address(of: pod, port: port).connect() else {
            return connection.send(.edge(502, "bad gateway"))
        }
        defer { close(upstream) }
        var head = "\(request.method) /\(words.count > 1 ? words[1] : "") HTTP/1.1\r\n"
        for (name, value) in request.headers where !["connection", "host"].contains(name.lowercased()) {
            head += "\(name): \(value)\r\n"
        }
        head += "Host: \(parts[0])-\(port).proxy\r\nCF-Connecting-IP: 127.0.0.1\r\nConnection: close\r\n\r\n"
        guard Connection.send(Array(head.utf8) + connection.leftover, to: upstream) else { return }
        pump(connection, upstream)
    }

    /// Copies in both directions until the pod's side ends, or neither side sends.
    private func pump(_ connection: Connection, _ upstream: Int32) {
        var isAnswered = false
        var clientSends = true
        while true {
            var files = [
                pollfd(fd: upstream, events: Int16(POLLIN), revents: 0),
                pollfd(fd: clientSends ? connection.socket : -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&files, 2, Self.silence)
            if ready < 0 && errno == EINTR { continue }
            if ready <= 0 {
                if !isAnswered { connection.send(.edge(524, "a timeout occurred")) }
                return
            }
            if files[1].revents != 0 {
                let bytes = Connection.read(connection.socket)
                // A client that closed has left: it waits for no answer.
                if bytes.isEmpty { return }
                clientSends = Connection.send(bytes, to: upstream)
            }
            if files[0].revents != 0 {
                let bytes = Connection.read(upstream)
                if bytes.isEmpty {
                    if !isAnswered { connection.send(.edge(502, "bad gateway")) }
                    return
                }
                isAnswered = true
                guard connection.send(bytes) else { return }
            }
        }
    }
}
