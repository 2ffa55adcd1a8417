import Glibc
import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite("The files of the volume over HTTP") struct FilesRouteTests {
    private let files: TestFiles
    private let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    init() async throws {
        files = try await TestFiles()
        try files.write("runs/a/model", bytes)
    }

    private func code(_ response: HTTPResponse) throws -> APIError.Code {
        try JSON.decode(APIError.self, from: response.body).code
    }

    // MARK: - A file

    @Test("a file comes with its length, its tag and its kind") func wholeFile() async throws {
        let response = try await files.send("GET", "/runs/a/model")
        #expect(response.status == 200)
        #expect(response.body == bytes)
        #expect(response.headers["Content-Length"] == "300000")
        #expect(response.headers["Accept-Ranges"] == "bytes")
        #expect(response.headers["Content-Type"] == "application/octet-stream")
        #expect(response.headers[APIHeader.entryKind] == "file")
        #expect(response.headers[APIHeader.agent] == Version.current)
        let status = try #require(File.status("\(files.volume)/runs/a/model"))
        #expect(
            response.headers["ETag"] == "\"\(String(status.size, radix: 16))-\(String(status.modified, radix: 16))\"")
    }

    @Test("HEAD brings the headers alone") func head() async throws {
        let response = try await files.send("HEAD", "/runs/a/model")
        #expect(response.status == 200 && response.body == [])
        #expect(response.headers["Content-Length"] == "300000")
        #expect(response.headers[APIHeader.entryKind] == "file")
        #expect(try await files.send("HEAD", "/runs").headers[APIHeader.entryKind] == "folder")
        #expect(try await files.send("HEAD", "/none").status == 404)
    }

    @Test("a range brings exactly its bytes and says which") func ranges() async throws {
        let ranges = [
            ("bytes=0-", 0..<300_000), ("bytes=10-29", 10..<30), ("bytes=-1", 299_999..<300_000),
            ("bytes=131071-131072", 131_071..<131_073), ("bytes=5-999999999", 5..<300_000),
        ]
        for (header, range) in ranges {
            let response = try await files.send("GET", "/runs/a/model", headers: [(name: "Range", value: header)])
            #expect(response.status == 206)
            #expect(response.body == Array(bytes[range]))
            #expect(
                response.headers["Content-Range"] == "bytes \(range.lowerBound)-\(range.upperBound - 1)/300000")
        }
    }

    @Test("a range beyond the end is refused with the file's length") func rangeBeyond() async throws {
        let header = [(name: "Range", value: "bytes=300000-")]
        let response = try await files.send("GET", "/runs/a/model", headers: header)
        #expect(response.status == 416)
        #expect(response.headers["Content-Range"] == "bytes */300000")
        #expect(try code(response) == .rangeNotSatisfiable)
    }

    @Test("a client that has this version of a file is not sent it again") func notModified() async throws {
        let minuteAgo = timespec(tv_sec: time(nil) - 60, tv_nsec: 0)
        try Errno.check { utimensat(AT_FDCWD, "\(files.volume)/runs/a/model", [minuteAgo, minuteAgo], 0) }
        let tag = try #require(try await files.send("HEAD", "/runs/a/model").headers["ETag"])
        for known in [tag, "\"x\", \(tag)", "W/\(tag)", "*"] {
            let headers = [(name: "If-None-Match", value: known)]
            let response = try await files.send("GET", "/runs/a/model", headers: headers)
            #expect(response.status == 304 && response.body == [])
            #expect(response.headers["ETag"] == tag)
        }
        let headers = [(name: "If-None-Match", value: "\"x\"")]
        #expect(try await files.send("GET", "/runs/a/model", headers: headers).status == 200)
        try files.write("runs/a/model", bytes + [1])
        #expect(
            try await files.send("GET", "/runs/a/model", headers: [(name: "If-None-Match", value: tag)]).status == 200)
    }

    @Test("a file is sent again while it is so young that its time may hide a change") func youngFile() async throws {
        let tag = try #require(try await files.send("HEAD", "/runs/a/model").headers["ETag"])
        let response = try await files.send("GET", "/runs/a/model", headers: [(name: "If-None-Match", value: tag)])
        #expect(response.status == 200 && response.body == bytes)
    }

    @Test("a range of another version brings the whole file") func ifRange() async throws {
        let tag = try #require(try await files.send("HEAD", "/runs/a/model").headers["ETag"])
        for (value, status) in [(tag, 206), ("\"x\"", 200), ("W/\(tag)", 200)] {
            let headers = [(name: "Range", value: "bytes=1-2"), (name: "If-Range", value: value)]
            #expect(try await files.send("GET", "/runs/a/model", headers: headers).status == status)
        }
    }

    @Test("an empty file comes whole and has no range") func emptyFile() async throws {
        try files.write("empty", "")
        let response = try await files.send("GET", "/empty")
        #expect(response.status == 200 && response.body == [] && response.headers["Content-Length"] == "0")
        #expect(try await files.send("GET", "/empty", headers: [(name: "Range", value: "bytes=0-")]).status == 416)
    }

    @Test("a file that shrinks while it is sent ends the connection") func shrinkingFile() async throws {
        let path = "\(files.volume)/large"
        try files.write("large", [UInt8](repeating: 7, count: 32 << 20))
        let file = try await files.client.file("large")
        #expect(file.range == 0..<32 << 20)
        try Errno.check { truncate(path, 1 << 20) }
        let error = try await #require(throws: HTTPError.self) { for try await _ in file.body {} }
        #expect(error.code == .interrupted)
    }

    @Test("the token is needed") func token() async throws {
        let url = "http://127.0.0.1:\(files.server.port)\(Endpoint.files)/runs/a/model"
        #expect(try await PatientTransport().send(HTTPRequest("GET", url)).status == 401)
    }

    // MARK: - A folder

    @Test("a folder is a list of its entries, and the empty path is the root") func listing() async throws {
        try files.write("b c%", "12345")
        try files.link("link", to: "runs")
        try Errno.check { mkfifo("\(files.volume)/pipe", 0o600) }
        for target in ["", "/"] {
            let response = try await files.send("GET", target)
            #expect(response.headers["Content-Type"] == "application/x-ndjson")
            #expect(response.headers[APIHeader.entryKind] == "folder")
            #expect(response.text.last == "\n" && response.text.split(separator: "\n").count == 4)
        }
        let entries = try await files.client.entries(of: "")
        #expect(entries.map(\.name) == ["b c%", "link", "pipe", "runs"])
        #expect(entries.map(\.kind) == [.file, .link, .other, .folder])
        #expect(entries[0].size == 5)
        #expect(entries[0].modified == File.status("\(files.volume)/b c%")?.modified)
        #expect(try await files.client.bytes(of: "b c%") == Array("12345".utf8))
    }

    @Test("a folder of thousands of entries is listed whole") func longListing() async throws {
        let names = (0..<2000).map { "entry \($0)" }
        try File.makeFolders("\(files.volume)/many")
        for name in names { try File.write([], over: "\(files.volume)/many/\(name)") }
        #expect(try await files.client.entries(of: "many").map(\.name) == names.sorted())
        try File.makeFolders("\(files.volume)/none")
        #expect(try await files.client.entries(of: "none") == [])
    }

    @Test("a folder comes as a tar archive that tar unpacks to the same files") func tar() async throws {
        let long = (0..<12).map { "a long folder name \($0)" }.joined(separator: "/")
        try files.write("tree/\(long)/file", "deep")
        try files.write("tree/é \n\"x\"", "odd")
        try files.write("tree/large", bytes)
        try files.write("tree/empty", "")
        try File.makeFolders("\(files.volume)/tree/empty folder")
        try files.link("tree/link", to: "../../outside")
        try Errno.check { mkfifo("\(files.volume)/tree/pipe", 0o600) }
        try Errno.check { chmod("\(files.volume)/tree/large", 0o755) }
        let response = try await files.send("GET", "/tree?format=tar")
        #expect(response.headers["Content-Type"] == "application/x-tar")
        let target = try TemporaryFolder("tar")
        try File.write(response.body, over: "\(target.path)/archive.tar")
        try File.makeFolders("\(target.path)/tree")
        let unpack = try Command.run(["tar", "-xf", "../archive.tar"], in: "\(target.path)/tree")
        #expect(unpack.code == 0, "\(unpack.output.text)")
        try File.remove("\(files.volume)/tree/pipe")
        let difference = try Command.run([
            "diff", "-r", "--no-dereference", "\(files.volume)/tree", "\(target.path)/tree",
        ])
        #expect(difference.code == 0, "\(difference.output.text)")
        #expect(File.isExecutable("\(target.path)/tree/large"))
        #expect(try await files.send("GET", "/tree?format=zip").status == 400)
    }

    // MARK: - Neither

    @Test("a pipe is refused and holds up nothing") func pipe() async throws {
        try Errno.check { mkfifo("\(files.volume)/pipe", 0o600) }
        #expect(try code(try await files.send("GET", "/pipe")) == .forbidden)
        #expect(try code(try await files.send("GET", "/none")) == .notFound)
        #expect(try code(try await files.send("GET", "/runs/a/model/x")) == .notFound)
        #expect(try code(try await files.send("DELETE", "/runs")) == .methodNotAllowed)
    }

    @Test("a volume that does not answer gives an error in time") func hungVolume() async throws {
        let gate = Gate()
        let access = VolumeAccess(root: files.volume, timeout: .milliseconds(100))
        let error = try await #require(throws: APIError.self) { try await access.run { gate.pass() } }
        #expect(error.code == .unavailable)
        #expect(try await access.run { 7 } == 7, "other calls are answered")
        gate.open()
    }
}
