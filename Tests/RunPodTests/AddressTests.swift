import RunPod
import Testing

@Suite struct AddressTests {
    @Test("without variables the addresses are RunPod's own")
    func defaults() {
        let addresses = RunPodAddresses(["RUNPOD_REST_URL": ""])
        #expect(addresses == RunPodAddresses())
        #expect(addresses.url(pod: "abc", port: 8000) == "https://abc-8000.proxy.runpod.net")
    }

    @Test("variables of the environment replace the addresses")
    func variables() {
        let addresses = RunPodAddresses([
            "RUNPOD_REST_URL": "http://127.0.0.1:9/v2/", "RUNPOD_PROXY_URL": "http://127.0.0.1:9/proxy/{pod}-{port}/",
        ])
        #expect(addresses.rest == "http://127.0.0.1:9/v2")
        #expect(addresses.url(pod: "abc", port: 8000) == "http://127.0.0.1:9/proxy/abc-8000")
        #expect(addresses.graphQL == RunPodAddresses().graphQL)
    }
}
