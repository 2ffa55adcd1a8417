import Foundation

/// `POST /v2/pods`
struct CreateRoute {
    let account: Account

    /// The fields of the body, and of its objects, with the kinds of their values.
    private static let fields: [String: @Sendable (JSONValue) -> Bool] = [
        "args": { $0.string != nil }, "cloud": { ["SECURE", "COMMUNITY"].contains($0.string) },
        "cmd": { $0.array != nil }, "cpu": { $0.object != nil }, "dataCenterIds": { $0.array != nil },
        "disk": { ($0.int ?? 0) > 0 }, "entrypoint": { $0.array != nil },
        "env": { $0.object?.values.allSatisfy { $0.string != nil } == true }, "globalNetworking": { $0.bool != nil },
        "gpu": { isGPU($0) }, "image": { $0.string != nil }, "mounts": { $0.object != nil },
        "name": { $0.string?.isEmpty == false }, "ports": { $0.array != nil }, "registry": { _ in true },
        "startJupyter": { $0.bool != nil }, "startSsh": { $0.bool != nil }, "templateId": { $0.string != nil },
    ]

    private static func isGPU(_ value: JSONValue) -> Bool {
        let known = ["id", "count", "minCudaVersion", "allowedCudaVersions", "minRamPerGpu", "minVcpuCountPerGpu"]
        return value["id"]?.string != nil && value.object?.keys.allSatisfy(known.contains) == true
    }

    private static let noCapacity =
        "There are no longer any instances available with the requested specifications. Please refresh and try again."

    func create(_ body: JSONValue?) -> Answer {
        guard let order = body?.object else { return .problem(400, "invalid JSON") }
        let errors = Self.errors(order)
        if !errors.isEmpty { return .problem(422, "Request validation failed.", errors: errors) }
        let trouble: Switches.Trouble? = account.change { state in
            state.switches.createTrouble.isEmpty ? nil : state.switches.createTrouble.removeFirst()
        }
        if let trouble, let refusal = Self.refusal(trouble) { return refusal }
        return buy(order, trouble)
    }

    private static func errors(_ order: [String: JSONValue]) -> [String] {
        var errors = order.keys.sorted().compactMap { key -> String? in
            guard let isRight = fields[key] else { return "$: additional properties '\(key)' not allowed" }
            return order[key].map(isRight) == true ? nil : "$.\(key): value has the wrong form"
        }
        for key in ["name", "image"] where order[key] == nil { errors.append("$: missing property '\(key)'") }
        return errors
    }

    private static func refusal(_ trouble: Switches.Trouble) -> Answer? {
        switch trouble {
        case .capacity: return .problem(400, noCapacity)
        case .notOffered: return .problem(400, "could not find any pods with required specifications")
        case .balance: return .problem(402, "Your account balance is too low to rent a pod")
        case .forbidden: return .problem(403, "access denied")
        case .failed: return .problem(500, "Something went wrong. Please try again later or contact support.")
        case .rateLimited:
            var answer = Answer.problem(429, "rate limit exceeded for the minute window")
            answer.headers.append(("Retry-After", "1"))
            return answer
        case .lostAnswer, .cutAnswer, .stuck: return nil
        }
    }

    private func buyWithoutGPU(_ order: [String: JSONValue]) -> Answer {
        let id = order["mounts"]?["network"]?.array?.first?["volumeId"]?.string
        guard let count = order["cpu"]?["vcpuCount"]?.int, order["mounts"]?["persistent"] == nil,
            let centre = account.change({ state in
                id.map { id in state.volumes.first { $0.id == id }?.centre } ?? "EU-RO-1"
            }),
            let pod = try? account.create(order, price: Catalog.pricePerCPU * Double(count), centre: centre)
        else { return .problem(400, Self.noCapacity) }
        return .json(pod.json(at: Date()), status: 201)
    }

    private func buy(_ order: [String: JSONValue], _ trouble: Switches.Trouble?) -> Answer {
        if order["cpu"] != nil { return buyWithoutGPU(order) }
        let switches = account.change { $0.switches }
        let cloud = order["cloud"]?.string ?? "SECURE"
        guard let gpu = Catalog.gpus.first(where: { $0.id == order["gpu"]?["id"]?.string }),
            let count = order["gpu"]?["count"]?.int, !switches.soldOut.contains(gpu.id),
            cloud == "SECURE" || gpu.community > 0
        else { return .problem(400, Self.noCapacity) }
        var centres = gpu.centres
        if let wanted = order["dataCenterIds"]?.strings { centres = centres.filter(wanted.contains) }
        if let id = order["mounts"]?["network"]?.array?.first?["volumeId"]?.string {
            guard let volume = account.change({ $0.volumes.first { $0.id == id } }) else {
                return .problem(404, "network volume not found")
            }
            centres = centres.filter { $0 == volume.centre }
        }
        guard let centre = centres.first else { return .problem(400, Self.noCapacity) }
        if order["disk"] == nil {
            return .problem(400, "You must either provide a template id or pod configuration parameters")
        }
        let price = (cloud == "SECURE" ? gpu.secure : gpu.community) * Double(count)
        if switches.balance < price { return .problem(402, "Your account balance is too low to rent a pod") }
        guard let pod = try? account.create(order, price: price, centre: centre) else {
            return .problem(500, "the emulator could not make the pod")
        }
        if trouble == .stuck { account.change(pod.id) { $0.isStuck = true } }
        var answer = Answer.json(pod.json(at: Date()), status: 201)
        answer.isLost = trouble == .lostAnswer
        answer.isCutInBody = trouble == .cutAnswer
        return answer
    }
}
