import Glibc
import HTTPClient
import Shared
import Synchronization
import TestSupport

@testable import Agent

/// A volume behind the file routes of a real server, and a folder beside it that no route may reach.
final class TestFiles: Sendable {
    static let secret = "what lies outside"

    private let folder: TemporaryFolder
    let server: Server
    let access: VolumeAccess
    private let serving = Mutex<Task<Void, any Error>?>(nil)

    init() async throws {
        folder = try TemporaryFolder("files")
        try File.makeFolders("\(folder.path)/volume")
        try File.makeFolders("\(folder.path)/outside")
        try File.write(Array(Self.secret.utf8), over: "\(folder.path)/outside/secret")
        access = VolumeAccess(root: "\(folder.path)/volume")
        let table = RouteTable(
            tokenDigest: SHA256Digest(of: TestAgent.token),
            routes: FilesRoute(volume: access, uploads: UploadRoute(volume: access)).routes)
        server = try await Server(address: "127.0.0.1", port: 0, routes: table)
        serving.withLock { serving in serving = Task { [server] in try await server.run() } }
    }

    deinit { serving.withLock { $0?.cancel() } }

    var volume: String { access.folder.root }
    var outside: String { "\(folder.path)/outside" }
    var client: AgentClient {
        AgentClient(
            address: "http://127.0.0.1:\(server.port)", token: TestAgent.token, transport: PatientTransport())
    }

    /// Writes a file of the volume.
    func write(_ path: String, _ text: String) throws { try write(path, Array(text.utf8)) }

    func write(_ path: String, _ bytes: [UInt8]) throws {
        try File.makeFolders("\(volume)/\(path)".parentFolder)
        try File.write(bytes, over: "\(volume)/\(path)")
    }

    func link(_ path: String, to target: String) throws {
        try File.makeFolders("\(volume)/\(path)".parentFolder)
        try Errno.check { symlink(target, "\(volume)/\(path)") }
    }

    /// `target` as it goes over the wire, behind `/v1/files`.
    func send(
        _ method: String = "GET", _ target: String, headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        try await PatientTransport().send(
            HTTPRequest(
                method, "http://127.0.0.1:\(server.port)\(Endpoint.files)\(target)",
                headers: [(name: APIHeader.token, value: TestAgent.token)] + headers, body: body))
    }

    /// The whole reply to a GET of `target`, which goes over the wire as it is.
    func rawGet(_ target: String) async throws -> String {
        try await Exchange.run(
            "GET \(target) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(APIHeader.token): \(TestAgent.token)\r\n\r\n",
            port: server.port)
    }

    /// What lies outside is as it was, and nothing came to it.
    var isOutsideUntouched: Bool {
        (try? File.list(outside)) == ["secret"]
            && (try? File.read("\(outside)/secret").text) == Self.secret
    }
}
