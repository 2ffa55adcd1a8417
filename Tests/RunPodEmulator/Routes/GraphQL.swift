import Foundation

/// `POST /graphql`: the few calls that REST v2 lacks, and the ends of a pod. Errors come with status 200.
struct GraphQL {
    let account: Account

    func answer(_ body: [UInt8], _ caller: API.Caller) -> Answer {
        let json = JSONValue(body)
        let query = json?["query"]?.string ?? ""
        let input = json?["variables"]?["input"]
        if case .pod(let own) = caller {
            guard account.change({ $0.switches.podKey }) != .none else { return Answer(status: 403) }
            guard query.contains("podStop") || query.contains("podTerminate"), input?["podId"]?.string == own else {
                return error("Unauthorized")
            }
        }
        if query.contains("podRentInterruptable") { return rent(input) }
        if query.contains("podBidResume") { return resume(input) }
        if query.contains("gpuTypes") { return data(["gpuTypes": .array(Catalog.gpus.map(spotPrice))]) }
        if query.contains("podTerminate") { return end(input, terminates: true) }
        if query.contains("podStop") { return end(input, terminates: false) }
        if query.contains("myself") {
            let (balance, spend) = account.change { state in
                (state.switches.balance, state.pods.filter { $0.billedSince != nil }.reduce(0) { $0 + $1.price })
            }
            return data(["myself": .object(["clientBalance": .double(balance), "currentSpendPerHr": .double(spend)])])
        }
        return error("Cannot query field")
    }

    private func end(_ input: JSONValue?, terminates: Bool) -> Answer {
        guard let id = input?["podId"]?.string, account.pod(id) != nil else {
            return error(terminates ? "pod not found to terminate" : "pod not found")
        }
        if terminates { account.delete(id) } else { account.stop(id) }
        return data(terminates ? ["podTerminate": .null] : ["podStop": .object(["id": .string(id)])])
    }

    /// Half the price of the secure cloud, for one GPU.
    private static func bid(_ gpu: Catalog.GPU) -> Double { gpu.secure / 2 }

    private func spotPrice(_ gpu: Catalog.GPU) -> JSONValue {
        let isFree = account.change { !$0.switches.soldOut.contains(gpu.id) }
        return .object([
            "id": .string(gpu.id),
            "lowestPrice": .object(["minimumBidPrice": isFree ? .double(Self.bid(gpu)) : .null]),
        ])
    }

    private static let noCapacity =
        "There are no longer any instances available with the request specifications. Please try again later."

    private func rent(_ input: JSONValue?) -> Answer {
        let isRefused = account.change { state in
            let isRefused = state.switches.spotRefusals > 0
            if isRefused { state.switches.spotRefusals -= 1 }
            return isRefused
        }
        guard !isRefused, let gpu = Catalog.gpus.first(where: { $0.id == input?["gpuTypeId"]?.string }),
            let bid = input?["bidPerGpu"]?.number, bid >= Self.bid(gpu),
            !account.change({ $0.switches.soldOut.contains(gpu.id) })
        else { return error(Self.noCapacity) }
        let count = input?["gpuCount"]?.int ?? 1
        let order = Self.order(input)
        guard
            let pod = try? account.create(
                order, price: bid * Double(count), centre: gpu.centres[0], isSpot: true)
        else { return error("Something went wrong. Please try again later or contact support.") }
        return data(["podRentInterruptable": .object(["id": .string(pod.id)])])
    }

    /// The body of a create over REST that asks for the same pod.
    private static func order(_ input: JSONValue?) -> [String: JSONValue] {
        let command = input?["dockerArgs"]?.string.flatMap { JSONValue($0.utf8) }
        let variables = (input?["env"]?.array ?? []).compactMap { pair in
            pair["key"]?.string.map { ($0, pair["value"] ?? .string("")) }
        }
        var order: [String: JSONValue] = [
            "cloud": input?["cloudType"] ?? .string("SECURE"), "cmd": command?["cmd"] ?? .array([]),
            "disk": input?["containerDiskInGb"] ?? .int(50), "entrypoint": command?["entrypoint"] ?? .array([]),
            "env": .object(Dictionary(variables) { $1 }),
            "gpu": .object(["count": input?["gpuCount"] ?? .int(1), "id": input?["gpuTypeId"] ?? .string("")]),
            "image": input?["imageName"] ?? .string(""), "name": input?["name"] ?? .string(""),
            "ports": .texts((input?["ports"]?.string ?? "").split(separator: ",").map(String.init)),
        ]
        let path = input?["volumeMountPath"] ?? .string("/workspace")
        if let volume = input?["networkVolumeId"]?.string {
            order["mounts"] = .object(["network": .array([.object(["path": path, "volumeId": .string(volume)])])])
        } else if let size = input?["volumeInGb"]?.int, size > 0 {
            order["mounts"] = .object(["persistent": .object(["path": path, "size": .int(size)])])
        }
        return order
    }

    private func resume(_ input: JSONValue?) -> Answer {
        guard let id = input?["podId"]?.string, account.pod(id) != nil else { return error("pod not found") }
        if let refusal = PodRoutes(account: account).start(id) {
            return error(refusal.json?["detail"]?.string ?? "")
        }
        return data(["podBidResume": .object(["id": .string(id)])])
    }

    private func data(_ fields: [String: JSONValue]) -> Answer { .json(.object(["data": .object(fields)])) }

    private func error(_ message: String) -> Answer {
        .json(.object(["data": .null, "errors": .array([.object(["message": .string(message)])])]))
    }
}
