import Glibc
import HTTPClient
import Shared
import TestSupport
import Testing

/// The emulator of RunPod, with its volumes in a site. `launch` and the pods run against it for real.
struct Emulator {
    let site: Site
    /// The variables that lead `launch` to it.
    let variables: [String: String]

    /// Needs root: each pod has its own root folder, processes and network.
    static let isAvailable = getuid() == 0 && Namespaces.areAvailable
    static let reason: Comment = "pods of their own need root"

    private static let program =
        ProcessEnvironment.all["RUNPOD_EMULATOR"] ?? "\(Programs.package)/.build/debug/RunPodEmulator"

    /// Runs `body` with an emulator whose pods run the agent under test. Ends all its pods.
    static func with(_ switches: String = "{}", _ body: (Emulator) async throws -> Void) async throws {
        try await Site.with { site in
            let wire = ProcessEnvironment.all["RUNPOD_WIRE"] ?? "\(site.root)/wire.ndjson"
            let program = try site.start([
                Self.program, "--folder", "\(site.root)/runpod", "--agent", Programs.agent, "--wire", wire,
            ])
            try await program.prints("RUNPOD_API_KEY")
            let emulator = Emulator(site: site, variables: variables(program.text))
            do {
                try await emulator.set(switches)
                try await body(emulator)
            } catch {
                program.send(SIGTERM)
                try await program.end()
                throw error
            }
            program.send(SIGTERM)
            try await program.end()
        }
    }

    /// Reads lines such as `export NAME=VALUE`.
    private static func variables(_ text: String) -> [String: String] {
        let pairs = text.split(separator: "\n").compactMap { line -> (String, String)? in
            let sides = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            return sides.count == 2 ? (String(sides[0]), sides[1].filter { $0 != "'" }) : nil
        }
        return Dictionary(pairs) { first, _ in first }
    }

    // MARK: Programs

    /// Starts `launch`. Another `home` is another laptop.
    func launch(_ arguments: String..., home: String? = nil, variables extra: [String: String] = [:]) throws -> Running
    {
        var variables = variables.merging(extra) { $1 }
        variables["LAUNCH_HOME"] = home.map { "\(site.root)/\($0)" } ?? site.home
        return try site.start([Programs.launch] + arguments, environment: variables)
    }

    /// A config with the network volume, and more lines.
    func config(_ lines: String, resources: String = "{gpus: [L40S], volume: {network: vol1}}") throws {
        try site.config(
            """
            run: rented
            provider: runpod
            image: me/image@sha256:0
            resources: \(resources)
            \(lines)

            """)
    }

    /// The run on the network volume.
    var folder: RunFolder {
        get throws { Volume(root: "\(site.root)/runpod/volumes/vol1").run(try #require(RunID("rented"))) }
    }

    // MARK: The account

    struct PodState: Decodable {
        var id: String
        var name: String
        var status: String
        var env: [String: String]
        var gpu: GPU
        /// US dollars so far.
        var bill: Double
        var isBilled: Bool
        /// Deleted.
        var isGone: Bool
        /// Starts of its container.
        var starts: Int

        struct GPU: Decodable {
            var id: String
        }
    }

    /// Every pod that was ever bought, the newest first.
    func pods() async throws -> [PodState] {
        try JSON.decode([PodState].self, from: try await control("GET", "pods").body)
    }

    /// The answer of `GET /v2/account/secrets`.
    func secrets() async throws -> String {
        let (rest, key) = (try #require(variables["RUNPOD_REST_URL"]), try #require(variables["RUNPOD_API_KEY"]))
        let request = HTTPRequest("GET", "\(rest)/account/secrets", headers: [("Authorization", "Bearer \(key)")])
        return try await CurlTransport(userAgent: "test/1").send(request).text
    }

    func set(_ switches: String) async throws { _ = try await control("PUT", "switches", switches) }

    /// The host takes the pod away.
    func preempt(_ pod: String) async throws { _ = try await control("POST", "preempt/\(pod)") }

    /// The pod is bought once more, as by a create whose answer was lost.
    func duplicate(_ pod: String) async throws { _ = try await control("POST", "duplicate/\(pod)") }

    /// All processes of the container die at once.
    func crash(_ pod: String) async throws { _ = try await control("POST", "crash/\(pod)") }

    @discardableResult
    private func control(_ method: String, _ path: String, _ body: String = "") async throws -> HTTPResponse {
        let rest = try #require(variables["RUNPOD_REST_URL"])
        let url = "\(rest.dropLast("/v2".count))/emulator/\(path)"
        let response = try await CurlTransport(userAgent: "test/1").send(
            HTTPRequest(method, url, body: Array(body.utf8)))
        #expect(response.head.isSuccess, "\(response.text)")
        return response
    }
}
