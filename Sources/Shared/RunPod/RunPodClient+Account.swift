extension RunPodClient {
    /// `GET /v2/catalog/gpus`: every kind of GPU, with its stock for pods of `count` GPUs in `cloud`.
    public func gpus(count: Int, cloud: PodCreation.Cloud) async throws(RunPodError) -> [CatalogGPU] {
        struct List: Decodable {
            var gpus: [CatalogGPU]
        }
        let query = "include=AVAILABILITY&product=POD&count=\(count)&cloud=\(cloud.rawValue)"
        let list: List = try await call("GET", "/catalog/gpus?\(query)", doing: "list the GPUs")
        return list.gpus
    }

    /// `GET /v2/catalog/cpus`: every kind of pod without a GPU.
    public func cpus() async throws(RunPodError) -> [CatalogCPU] {
        struct List: Decodable {
            var cpus: [CatalogCPU]
        }
        let list: List = try await call(
            "GET", "/catalog/cpus?include=AVAILABILITY&product=POD", doing: "list the kinds of CPU pods")
        return list.cpus
    }

    /// `GET /v2/network-volumes`
    public func networkVolumes() async throws(RunPodError) -> [NetworkVolume] {
        struct List: Decodable {
            var networkVolumes: [NetworkVolume]
        }
        let list: List = try await call("GET", "/network-volumes", doing: "list the network volumes")
        return list.networkVolumes
    }

    /// `POST /v2/network-volumes`. `size` is in GB.
    public func createNetworkVolume(
        name: String, size: Int, dataCenter: String
    ) async throws(RunPodError) -> NetworkVolume {
        struct Order: Encodable, Sendable {
            var name: String
            var size: Int
            var dataCenter: String
        }
        return try await call(
            "POST", "/network-volumes", Order(name: name, size: size, dataCenter: dataCenter),
            doing: "create network volume \"\(name)\"")
    }

    /// `GET /v2/account/secrets`
    public func secrets() async throws(RunPodError) -> [AccountSecret] {
        struct List: Decodable {
            var secrets: [AccountSecret]
        }
        let list: List = try await call("GET", "/account/secrets", doing: "list the account's secrets")
        return list.secrets
    }

    /// `POST /v2/account/secrets`
    public func createSecret(name: String, value: String) async throws(RunPodError) -> AccountSecret {
        try await call(
            "POST", "/account/secrets", ["name": name, "value": value], doing: "keep secret \"\(name)\"")
    }

    /// `DELETE /v2/account/secrets/ID`. One that is gone already is no error.
    public func deleteSecret(_ id: String) async throws(RunPodError) {
        do {
            try await perform("DELETE", "/account/secrets/\(id)", doing: "delete a secret")
        } catch {
            guard error.kind == .notFound else { throw error }
        }
    }

    /// The account's credit and what it spends, in US dollars. Only GraphQL has them.
    public func balance() async throws(RunPodError) -> (credit: Double, perHour: Double?) {
        struct Reply: Decodable {
            struct Myself: Decodable {
                var clientBalance: Double
                var currentSpendPerHr: Double?
            }
            var myself: Myself
        }
        let reply: Reply = try await graphQL(
            "query { myself { clientBalance currentSpendPerHr } }", [String: String](), isRead: true,
            doing: "show the balance")
        return (reply.myself.clientBalance, reply.myself.currentSpendPerHr)
    }

    /// `podStop` or `podTerminate` of GraphQL.
    public func endByGraphQL(_ id: String, terminates: Bool) async throws(RunPodError) {
        struct Input: Encodable, Sendable {
            struct Pod: Encodable, Sendable {
                var podId: String
            }
            var input: Pod
        }
        struct Reply: Decodable {}
        let (call, type, fields) =
            terminates ? ("podTerminate", "PodTerminateInput", "") : ("podStop", "PodStopInput", " { id }")
        let _: Reply = try await graphQL(
            "mutation($input: \(type)!) { \(call)(input: $input)\(fields) }", Input(input: .init(podId: id)),
            isRead: false, doing: "\(terminates ? "terminate" : "stop") pod \"\(id)\"")
    }
}
