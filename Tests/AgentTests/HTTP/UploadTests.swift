import Glibc
import HTTPClient
import NIOCore
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite("Uploads to the volume") struct UploadTests {
    private let files: TestFiles
    private let bytes = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
    private var digest: SHA256Digest { SHA256Digest(of: bytes) }

    init() async throws { files = try await TestFiles() }

    /// A part of `bytes` to `/data/model`.
    private func put(
        _ range: Range<Int>, to target: String = "/data/model", sha256: String? = nil
    ) async throws -> HTTPResponse {
        try await files.send(
            "PUT", "\(target)?offset=\(range.lowerBound)&size=\(bytes.count)&sha256=\(sha256 ?? "\(digest)")",
            body: Array(bytes[range]))
    }

    private func code(_ response: HTTPResponse) throws -> APIError.Code {
        try JSON.decode(APIError.self, from: response.body).code
    }

    private func offset(_ response: HTTPResponse) -> String? { response.headers[APIHeader.uploadOffset] }

    private var stagingFiles: [String] { (try? File.list(Volume(root: files.volume).uploads)) ?? [] }

    @Test("a file in one part is put in its place") func onePart() async throws {
        let response = try await put(0..<bytes.count)
        #expect(response.status == 201 && offset(response) == "600000")
        #expect(try File.read("\(files.volume)/data/model") == bytes)
        #expect(stagingFiles == [])
    }

    @Test("a file in parts is there only when it is whole") func parts() async throws {
        let target = "/data/model?sha256=\(digest)"
        #expect(offset(try await files.send("HEAD", target)) == "0")
        let first = try await put(0..<100_000)
        #expect(first.status == 202 && offset(first) == "100000")
        let head = try await files.send("HEAD", target)
        #expect(head.status == 404 && offset(head) == "100000")
        for wrong in [0, 99_999, 100_001, 600_000] {
            let refused = try await put(wrong..<600_000)
            #expect(refused.status == 409 && offset(refused) == "100000", "\(wrong)")
        }
        #expect(try !File.exists("\(files.volume)/data/model"))
        #expect(try await put(100_000..<600_000).status == 201)
        #expect(try File.read("\(files.volume)/data/model") == bytes)
        let last = try await files.send("HEAD", target)
        #expect(last.status == 200 && offset(last) == "0" && last.headers["Content-Length"] == "600000")
    }

    @Test("each of many small parts is accepted as soon as the one before it is answered") func manyParts() async throws
    {
        for offset in 0..<300 { #expect(try await put(offset..<(offset + 1)).status == 202, "\(offset)") }
    }

    @Test("an upload whose end the client did not hear of is not repeated") func endIsKnown() async throws {
        #expect(try await put(0..<bytes.count).status == 201)
        let again = try await put(bytes.count..<bytes.count)
        #expect(again.status == 201 && offset(again) == "600000")
        // Of another process, and of another file.
        try files.write("data/model", bytes)
        #expect(try await put(bytes.count..<bytes.count).status == 201)
        try files.write("data/model", [UInt8](repeating: 0, count: bytes.count))
        let other = try await put(bytes.count..<bytes.count)
        #expect(other.status == 409 && offset(other) == "0")
    }

    @Test("bytes of another checksum are thrown away") func mismatch() async throws {
        let other = "\(SHA256Digest(of: "x"))"
        #expect(try await put(0..<10, sha256: other).status == 202)
        let response = try await put(10..<bytes.count, sha256: other)
        #expect(response.status == 422)
        #expect(try code(response) == .checksumMismatch)
        #expect(try stagingFiles == [] && !File.exists("\(files.volume)/data/model"))
    }

    @Test(
        "a parameter that is missing or wrong is named",
        arguments: [
            ("size=1&sha256=SHA", "offset"), ("offset=0&sha256=SHA", "size"), ("offset=0&size=1", "sha256"),
            ("offset=x&size=1&sha256=SHA", "offset"), ("offset=0&size=-1&sha256=SHA", "size"),
            ("offset=0&size=1&sha256=12", "sha256"), ("offset=2&size=1&sha256=SHA", "offset"), ("", "sha256"),
        ])
    func parameters(_ query: String, _ name: String) async throws {
        let query = query.replacing("SHA", with: "\(digest)")
        let response = try await files.send("PUT", "/a?\(query)", body: [1])
        #expect(response.status == 400)
        #expect(try JSON.decode(APIError.self, from: response.body).message.contains("\"\(name)"))
        #expect(try !File.exists("\(files.volume)/a") && stagingFiles == [])
    }

    @Test("a body that goes beyond the size is refused") func tooLong() async throws {
        let response = try await files.send("PUT", "/a?offset=0&size=2&sha256=\(digest)", body: [1, 2, 3])
        #expect(response.status == 400)
        let empty = SHA256Digest(of: "")
        #expect(try await files.send("PUT", "/empty?offset=0&size=0&sha256=\(empty)").status == 201)
        #expect(try File.read("\(files.volume)/empty") == [])
    }

    @Test(
        "the agent's own records are refused",
        arguments: [
            "/.pod-agent/x", "/.pod-agent/uploads/x", "/logs/current.log", "/runs", "/runs/a", "/runs/a/run.json",
            "/runs/a/attempts/0009.claim", "/runs/a/receipts/x.json", "/runs/a/logs/x", "/runs/a/new/x/y",
            "/runs/a/attempts/new/x", "/runs/a/work", "/runs/a/work/link/0009.claim", "/runs/a/work/link/new/x",
            "/runs/a/work/new/../../attempts/x",
        ])
    func records(_ target: String) async throws {
        try File.makeFolders("\(files.volume)/runs/a/attempts")
        try files.link("runs/a/work/link", to: "../attempts")
        let before = try Command.run(["find", "runs"], in: files.volume).output.text
        let response = try await put(0..<bytes.count, to: target)
        #expect(response.status == 403 || (response.status == 409 && target == "/runs/a/work"), "\(response.text)")
        #expect(try Command.run(["find", "runs"], in: files.volume).output.text == before)
        #expect(stagingFiles == [])
    }

    @Test("a run's work tree takes files") func workTree() async throws {
        #expect(try await put(0..<bytes.count, to: "/runs/new/work/data/x").status == 201)
        #expect(try File.read("\(files.volume)/runs/new/work/data/x") == bytes)
    }

    @Test("a link at the target is replaced, and a folder there is kept") func occupied() async throws {
        try files.link("data/model", to: "../../outside/secret")
        #expect(try await put(0..<bytes.count).status == 201)
        #expect(File.status("\(files.volume)/data/model")?.isFile == true)
        try File.makeFolders("\(files.volume)/data/folder/inner")
        #expect(try await put(0..<bytes.count, to: "/data/folder").status == 409)
        #expect(try File.exists("\(files.volume)/data/folder/inner"))
        #expect(files.isOutsideUntouched)
    }

    @Test("no link leads an upload out of the volume") func linksOut() async throws {
        try files.link("out", to: "../outside")
        try files.link("new", to: "../outside/new")
        try files.link("in", to: "data")
        for target in ["/out/x", "/out/new/x", "/new/x", "/%2e%2e/outside/x"] {
            #expect(try await put(0..<bytes.count, to: target).status == 403, "\(target)")
        }
        #expect(try await put(0..<bytes.count, to: "/in/x").status == 201, "a folder that a link inside names is made")
        #expect(try File.read("\(files.volume)/data/x") == bytes)
        #expect(files.isOutsideUntouched)
    }

    @Test("links in place of the agent's own folders lead no upload out") func ownFolderLinks() async throws {
        try files.link(".pod-agent", to: "../outside")
        #expect(try await put(0..<bytes.count).status == 403)
        #expect(files.isOutsideUntouched)
    }

    @Test("a link that is swapped in during uploads leads none out") func swappedLinks() async throws {
        let swapper = try LinkSwapper(in: files)
        var statuses: [Int: Int] = [:]
        let start = ContinuousClock.now
        while start.duration(to: .now) < .seconds(2) || statuses[201, default: 0] < 5 || statuses[403] == nil {
            for target in ["/real/new", "/file", "/real/deep/x"] {
                let content = Array("inside".utf8)
                let query = "?offset=0&size=6&sha256=\(SHA256Digest(of: content))"
                statuses[try await files.send("PUT", target + query, body: content).status, default: 0] += 1
            }
            if start.duration(to: .now) > .seconds(60) { break }
        }
        await swapper.ended()
        #expect(statuses[201, default: 0] >= 5 && statuses[403, default: 0] > 0, "\(statuses)")
        #expect(files.isOutsideUntouched)
    }

    @Test("of two uploads of one target at once one is refused, and what came is kept") func twoAtOnce() async throws {
        let first = try RawClient(port: files.server.port)
        let line = "PUT \(Endpoint.files)/data/model?offset=0&size=600000&sha256=\(digest) HTTP/1.1\r\n"
        try first.send(
            line + "Host: x\r\n\(APIHeader.token): \(TestAgent.token)\r\nContent-Length: 600000\r\n\r\n")
        try first.send(Array(bytes[..<300_000]))
        let target = "/data/model?sha256=\(digest)"
        try await eventuallyTrue("the first pieces") {
            offset(try await files.send("HEAD", target)).flatMap { Int($0) } ?? 0 > 0
        }
        let second = try await put(0..<bytes.count)
        #expect(second.status == 409 && second.headers["Retry-After"] != nil && offset(second) == nil)
        #expect(try code(second) == .conflict)
        first.end()
        try await eventuallyTrue("all that came") { offset(try await files.send("HEAD", target)) == "300000" }
        let rest = try await eventually("the rest") {
            let response = try await put(300_000..<600_000)
            return response.status == 409 ? nil : response
        }
        #expect(rest.status == 201)
        #expect(try File.read("\(files.volume)/data/model") == bytes)
    }

    @Test("a body is read from the connection only as the route takes it") func backPressure() async throws {
        let gate = Gate()
        let table = RouteTable(
            tokenDigest: SHA256Digest(of: TestAgent.token),
            routes: [
                Route("PUT", "/slow", bodyLimit: .max) { request in
                    try await DedicatedThread.run { gate.pass() }
                    var count = 0
                    while let piece = try await request.body.next() { count += piece.readableBytes }
                    return Response(body: .bytes(Array("\(count)".utf8)))
                }
            ])
        let server = try await Server(address: "127.0.0.1", port: 0, routes: table)
        let serving = Task { try await server.run() }
        defer { serving.cancel() }
        let client = try RawClient(port: server.port)
        let size = 64 << 20
        try client.send(
            "PUT /slow HTTP/1.1\r\nHost: x\r\n\(APIHeader.token): \(TestAgent.token)\r\nContent-Length: \(size)\r\n"
                + "Connection: close\r\n\r\n")
        let taken = try await DedicatedThread.run { try client.flood(limit: size, quiet: .seconds(1)) }
        // The buffers of the two sockets, which the system sizes: 4 MB to send and 6 MB to receive at most, tcp(7).
        #expect(taken < 12 << 20, "\(taken)")
        gate.open()
        let answer = try await within(.seconds(60), "the answer") {
            try await DedicatedThread.run {
                try client.send([UInt8](repeating: 0, count: size - taken))
                return try client.receiveAll().text
            }
        }
        #expect(answer.hasSuffix("\r\n\r\n\(size)"))
    }

    @Test("a client that waits for a word before it sends gets it") func expectContinue() async throws {
        let empty = SHA256Digest(of: "12345")
        let head =
            "PUT \(Endpoint.files)/a?offset=0&size=5&sha256=\(empty) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        let client = try RawClient(port: files.server.port)
        try client.send(
            head + "\(APIHeader.token): \(TestAgent.token)\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        let word = try await within(.seconds(60), "the word") {
            try await DedicatedThread.run { try client.receive(limit: 1000).text }
        }
        #expect(word == "HTTP/1.1 100 Continue\r\n\r\n")
        try client.send("12345")
        let answer = try await within(.seconds(60), "the answer") {
            try await DedicatedThread.run { try client.receiveAll().text }
        }
        #expect(answer.hasPrefix("HTTP/1.1 201 "))
    }

    // MARK: - The client

    @Test("the client's upload survives a proxy that cuts every connection") func clientResumes() async throws {
        let source = try TemporaryFolder("source")
        let large = (0..<20).flatMap { piece in bytes.map { $0 &+ UInt8(piece) } }
        try File.write(large, over: "\(source.path)/file")
        let proxy = try CuttingProxy(to: UInt16(files.server.port), lives: 5...60, seed: 1)
        let client = AgentClient(
            address: "http://127.0.0.1:\(proxy.port)", token: TestAgent.token, transport: PatientTransport())
        var pace = AgentClient.UploadPace()
        pace.partSize = 4 << 20
        try await client.put(file: "\(source.path)/file", to: "data/é x", pace: pace)
        #expect(try File.read("\(files.volume)/data/é x") == large)
        let accepted = try #require(File.status("\(files.volume)/data/é x"))
        try await client.put(file: "\(source.path)/file", to: "data/é x", pace: pace)
        #expect(File.status("\(files.volume)/data/é x") == accepted, "nothing was sent again")
    }

    @Test("the client sends all again if what the volume has is wrong") func staleUpload() async throws {
        let source = try TemporaryFolder("source")
        try File.write(bytes, over: "\(source.path)/file")
        let wrong = [UInt8](repeating: 0, count: 1000)
        let target = "/data/model?offset=0&size=600000&sha256=\(digest)"
        #expect(try await files.send("PUT", target, body: wrong).status == 202)
        try await files.client.put(file: "\(source.path)/file", to: "data/model")
        #expect(try File.read("\(files.volume)/data/model") == bytes)
    }

    @Test("code is delivered before the run is claimed") func code() async throws {
        let run = try TestRun()
        let agent = try await TestAgent(run: run)
        let source = try TemporaryFolder("source")
        try File.write(bytes, over: "\(source.path)/code.tar")
        let code = PackedCode(sha256: "\(digest)", size: bytes.count)
        #expect(try await agent.send("GET", Endpoint.status).status == 503)
        for _ in 0..<2 { try await agent.client().putCode(code, file: "\(source.path)/code.tar") }
        #expect(try File.read(run.volume.pack(code)) == bytes)
        #expect(try await agent.send("PUT", "/v1/code/xyz?offset=0&size=1", body: [1]).status == 400)
        #expect(try await agent.send("PUT", "/v1/code/..?offset=0&size=1", body: [1]).status == 404)
    }
}
