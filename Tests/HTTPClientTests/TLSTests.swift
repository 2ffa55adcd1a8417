import Foundation
import HTTPClient
import Shared
import TestSupport
import Testing

/// Uses a real TLS server, `openssl s_server`, and a certificate made for the test.
@Suite("TLS trust", .timeLimit(.minutes(1)), .enabled(if: TLSServer.isAvailable))
struct TLSTests {
    @Test("the HTTP client refuses a server whose certificate no trusted authority signed")
    func unknownAuthority() async throws {
        let server = try await TLSServer()
        let error = try await failure { () throws(HTTPError) in
            try await CurlTransport().send(HTTPRequest("GET", server.url))
        }
        #expect(error.code == .tls)
        #expect(!error.isPassing)
        #expect(error.message.contains("could not trust"))
    }

    @Test("the HTTP client accepts a server if it was given the server's authority")
    func givenAuthority() async throws {
        let server = try await TLSServer()
        let transport = CurlTransport(trust: .pem(server.certificate))
        #expect(try await transport.send(HTTPRequest("GET", server.url)).status == 200)
    }

    @Test("the HTTP client refuses a server whose authority is not the given one")
    func otherAuthority() async throws {
        let server = try await TLSServer()
        let transport = CurlTransport(trust: .pem(try await TLSServer().certificate))
        let error = try await failure { () throws(HTTPError) in
            try await transport.send(HTTPRequest("GET", server.url))
        }
        #expect(error.code == .tls)
    }

    @Test("the HTTP client refuses a certificate made for another host")
    func otherHost() async throws {
        let server = try await TLSServer(name: "IP:127.0.0.9")
        let transport = CurlTransport(trust: .pem(server.certificate))
        let error = try await failure { () throws(HTTPError) in
            try await transport.send(HTTPRequest("GET", server.url))
        }
        #expect(error.code == .tls)
    }

    @Test("an HTTP request fails as a TLS error if the given authority is no certificate")
    func notACertificate() async throws {
        let server = try await TLSServer()
        let transport = CurlTransport(trust: .pem(Array("nonsense".utf8)))
        let error = try await failure { () throws(HTTPError) in
            try await transport.send(HTTPRequest("GET", server.url))
        }
        #expect(error.code == .tls)
    }
}

/// An `openssl s_server`. Its release ends the process and deletes its files.
private final class TLSServer {
    static let isAvailable = FileManager.default.isExecutableFile(atPath: openssl)
    private static let openssl = "/usr/bin/openssl"

    let certificate: [UInt8]
    let url: String
    private let folder: URL
    private let pid: Int32

    init(name: String = "IP:127.0.0.1") async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (key, file) = (folder.appending(path: "key.pem").path, folder.appending(path: "cert.pem").path)
        try Self.run(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
                + ["-subj", "/CN=stub", "-addext", "subjectAltName=\(name)", "-keyout", key, "-out", file])
        certificate = Array(try Data(contentsOf: URL(filePath: file)))

        var ends: [Int32] = [0, 0]
        try Errno.check { pipe(&ends) }
        defer { for end in ends { close(end) } }
        pid = try CleanSpawn(
            program: Self.openssl,
            arguments: ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", file, "-key", key],
            environment: ProcessEnvironment.all, folder: "/", output: ends[1]
        ).start()
        // The server prints "ACCEPT 127.0.0.1:40321" as soon as it listens.
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !text.contains(/ACCEPT .*:[0-9]+\n/) {
            let count = try Errno.check { read(ends[0], &buffer, buffer.count) }
            text += buffer[..<count].text
        }
        let port = try #require(text.firstMatch(of: /ACCEPT .*:([0-9]+)\n/)?.1)
        url = "https://127.0.0.1:\(port)/"
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        try? FileManager.default.removeItem(at: folder)
    }

    private static func run(_ arguments: [String]) throws {
        let (code, output) = try Command.run([openssl] + arguments)
        try #require(code == 0, "\(output.text)")
    }
}
