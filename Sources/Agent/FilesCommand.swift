internal import ArgumentParser
internal import CLinux
internal import Glibc
internal import Shared

/// Serves the files of a volume for reading, for runs whose pod is gone.
struct FilesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "files", abstract: "Serve the files of a volume over HTTP, for reading, until SIGTERM.",
        discussion: "POD_AGENT_TOKEN_SHA256 holds the SHA-256 of the token that clients have to send.")

    @Option(help: "The volume's folder.") var volume: String
    @Option(help: "The IP address and port to listen on; port 0 is a free one.") var listen = "127.0.0.1:0"
    @Option(help: "A file that the address is written to, as a URL.") var endpointFile: String?
    @Flag(help: "End when standard input ends, as it does with the program at the other end of a pipe.")
    var untilInputEnds = false

    @Flag(help: "Delete the rented pod once no request has come for a minute, and after half an hour at the latest.")
    var endPod = false

    func run() throws {
        linux_keep_memory_small()
        signal(SIGPIPE, SIG_IGN)
        // Before any other thread exists, so that the signals wait for the loop below.
        var signals = sigset_t([SIGTERM, SIGINT])
        signals.block()
        let (address, port) = try endpoint()
        let table = try table()
        Task {
            do {
                let server = try await Server(
                    address: address, port: port, routes: table,
                    limits: .fitting(descriptors: DescriptorLimit.raise()))
                try report("http://\(address):\(server.port)")
                if endPod { Task { await Self.endPod(after: server) } }
                try await server.run()
                _exit(EXIT_SUCCESS)
            } catch {
                Console.complain(error)
                _exit(EX_OSERR)
            }
        }
        if untilInputEnds { try DedicatedThread.start(Self.exitAtEndOfInput) }
        var signal: Int32 = 0
        sigwait(&signals, &signal)
        _exit(EXIT_SUCCESS)
    }

    private static func endPod(after server: Server) async {
        await server.idle(for: .seconds(60), within: .seconds(1800))
        let host = Host(ProcessEnvironment.all)
        await PodStopper(routes: host.stopRoutes, way: .terminate) { Console.say($0) }.run()
        _exit(EXIT_SUCCESS)
    }

    private static func exitAtEndOfInput() {
        var byte: UInt8 = 0
        while case let count = read(STDIN_FILENO, &byte, 1), count > 0 || count < 0 && errno == EINTR {}
        _exit(EXIT_SUCCESS)
    }

    private func table() throws -> RouteTable {
        guard File.statusOfTarget(volume)?.isFolder == true else { throw Problem("\"\(volume)\" is not a folder") }
        guard let text = ProcessEnvironment.all["POD_AGENT_TOKEN_SHA256"], let digest = SHA256Digest(hexadecimal: text)
        else { throw Problem("POD_AGENT_TOKEN_SHA256 is not a SHA-256 in hexadecimal") }
        let health = Route("GET", RoutePattern(Endpoint.health), isOpen: true) { _ in
            try .json(HealthReport(ready: true, version: Version.current))
        }
        let access = VolumeAccess(root: volume)
        let files = FilesRoute(volume: access)
        return RouteTable(
            tokenDigest: digest, routes: [health, ListedCheckpointsRoute(volume: access).route] + files.routes)
    }

    private func endpoint() throws -> (address: String, port: Int) {
        guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
            throw ValidationError("\"\(listen)\" is not an address and a port such as 0.0.0.0:8000")
        }
        let address = listen[..<colon]
        return (address.first == "[" ? String(address.dropFirst().dropLast()) : String(address), Int(port))
    }

    private func report(_ url: String) throws {
        Console.say("serves \"\(volume)\" at \(url)")
        if let endpointFile { try File.replace(endpointFile, with: Array("\(url)\n".utf8)) }
    }
}
