import HTTPClient
import RunPod
import Shared
import TestSupport
import Testing

@testable import Launcher

@Suite struct RunPodOffersTests {
    private static let catalog = """
        {"gpus":[
        {"id":"NVIDIA L40S","name":"L40S","secure":true,"community":false,"price":{"secure":1.09,"community":0},
        "maxCount":{"secure":8,"community":0},"availability":"HIGH"},
        {"id":"NVIDIA A40","name":"A40","secure":true,"community":true,"price":{"secure":0.49,"community":0.39},
        "maxCount":{"secure":8,"community":1},"availability":"NONE"},
        {"id":"NVIDIA H100","name":"H100 SXM","secure":true,"community":false,"price":{"secure":3.49,"community":0},
        "maxCount":{"secure":8,"community":0},"availability":"LOW"}]}
        """

    /// The offers for these resources, on a disk of the pod's own unless `network`.
    private func offers(_ change: (inout Resources) -> Void, network: Bool = false) async throws -> [String] {
        let server = try StubServer { try $0.respond(body: Self.catalog) }
        var addresses = RunPodAddresses()
        addresses.rest = server.url("/v2")
        let client = RunPodClient(key: "k", addresses: addresses, transport: CurlTransport(userAgent: "test/1"))
        var resources = Resources()
        change(&resources)
        let spec = RunSpec(
            RunSettings(run: try #require(RunID("a")), command: .shell("x")), project: "", volume: "/workspace",
            launch: LaunchOrder(id: "l"))
        let place: PodPlace = network ? .network(id: "v", mount: "/workspace") : .ownDisk(mount: "/workspace")
        let order = PodOrder(spec: spec, place: place, resources: resources)
        return try await RunPodOffers(client: client, order: order).all().map(\.text)
    }

    @Test("kinds are tried in the config's order, those without stock last")
    func listed() async throws {
        #expect(
            try await offers { $0.gpus = ["A40", "NVIDIA H100", "l40s"] }
                == ["1 × H100 SXM, secure", "1 × L40S, secure", "1 × A40, secure"])
    }

    @Test("the cheapest comes first by price, within the limit")
    func byPrice() async throws {
        #expect(
            try await offers {
                $0.gpus = ["H100 SXM", "L40S"]
                $0.order = .price
            } == ["1 × L40S, secure", "1 × H100 SXM, secure"])
        #expect(
            try await offers {
                $0.maxPrice = Money(written: "2.2")
                $0.gpuCount = 2
            } == ["2 × L40S, secure", "2 × A40, secure"])
    }

    @Test("the community cloud is offered unless the volume is of the network, and as many GPUs as it has")
    func clouds() async throws {
        #expect(
            try await offers {
                $0.gpus = ["A40"]
                $0.cloud = .any
            } == ["1 × A40, secure", "1 × A40, community"])
        #expect(
            try await offers(
                {
                    $0.gpus = ["A40"]
                    $0.cloud = .any
                }, network: true) == ["1 × A40, secure"])
        #expect(
            try await offers {
                $0.gpus = ["A40"]
                $0.gpuCount = 2
                $0.cloud = .any
            } == ["2 × A40, secure"])
    }

    @Test("a kind that RunPod does not have is an error that names those it has")
    func unknown() async throws {
        let failure = await #expect(throws: Failure.self) { try await offers { $0.gpus = ["RTX 9090"] } }
        #expect(failure?.problem.hint == "it has: A40, H100 SXM, L40S")
    }
}
