import Foundation
import Glibc

/// One connection of a client: one request, one answer. Each has a thread of its own.
final class Connection {
    struct Request {
        var method = ""
        /// With the query.
        var target = ""
        var headers: [(name: String, value: String)] = []

        var path: String { String(target.prefix { $0 != "?" }) }

        subscript(name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }

        func query(_ name: String) -> String? {
            guard let start = target.firstIndex(of: "?") else { return nil }
            let pairs = target[target.index(after: start)...].split(separator: "&")
            return pairs.first { $0.hasPrefix("\(name)=") }.flatMap {
                String($0.dropFirst(name.count + 1)).removingPercentEncoding
            }
        }
    }

    let socket: Int32
    private(set) var request = Request()
    /// Bytes of the body that came with the head.
    private(set) var leftover: [UInt8] = []

    init(_ socket: Int32) { self.socket = socket }

    deinit { close(socket) }

    /// Returns false if the client sent no whole head.
    func readHead() -> Bool {
        var bytes: [UInt8] = []
        while true {
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                leftover = Array(bytes[end.upperBound...])
                return parse(String(decoding: bytes[..<end.lowerBound], as: UTF8.self))
            }
            let more = Self.read(socket)
            if more.isEmpty || bytes.count > 256 << 10 { return false }
            bytes += more
        }
    }

    private func parse(_ head: String) -> Bool {
        let lines = head.split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3 else { return false }
        (request.method, request.target) = (String(words[0]), String(words[1]))
        request.headers = lines.dropFirst().compactMap { line in
            let sides = line.split(separator: ":", maxSplits: 1)
            guard sides.count == 2 else { return nil }
            return (String(sides[0]), sides[1].trimmingCharacters(in: .whitespaces))
        }
        return true
    }

    /// The request's body; nil if it is longer than `limit`, or the client left.
    func body(limit: Int) -> [UInt8]? {
        let length = request["Content-Length"].flatMap { Int($0) } ?? 0
        guard length <= limit else { return nil }
        var bytes = leftover
        while bytes.count < length {
            let more = Self.read(socket)
            if more.isEmpty { return nil }
            bytes += more
        }
        return bytes
    }

    /// Sends all of `bytes`. Returns false if the client has left.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool { Self.send(bytes, to: socket) }

    func send(_ answer: Answer) {
        var head =
            "HTTP/1.1 \(answer.status) Emulator\r\nConnection: close\r\nContent-Length: \(answer.bytes.count)\r\n"
        for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
        var bytes = Array("\(head)\r\n".utf8) + answer.bytes
        if answer.isCutInBody { bytes.removeLast(min(answer.bytes.count / 2, answer.bytes.count)) }
        send(bytes)
    }

    static func read(_ socket: Int32) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }
}

extension Connection {
    /// Whether the client has closed its end.
    var isClosed: Bool {
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0
    }
}
