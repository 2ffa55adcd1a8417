/// The catalog, network volumes and secrets.
struct AccountRoutes {
    let account: Account

    func answer(_ method: String, _ words: [String], _ body: JSONValue?) -> Answer {
        switch (method, words.joined(separator: "/")) {
        case ("GET", "catalog/gpus"): return .json(Catalog.json(soldOut: account.change { $0.switches.soldOut }))
        case ("GET", "catalog/cpus"): return .json(Catalog.cpus)
        case ("GET", "network-volumes"):
            let volumes = account.change { $0.volumes }
            return .json(.object(["networkVolumes": .array(volumes.map(json))]))
        case ("POST", "network-volumes"): return createVolume(body)
        case ("GET", "account/secrets"):
            if isRefused { return .problem(403, "access denied") }
            let names = account.change { $0.secrets.keys.sorted() }
            let secrets = names.map { JSONValue.object(["id": .string("id-\($0)"), "name": .string($0)]) }
            return .json(.object(["secrets": .array(secrets)]))
        case ("POST", "account/secrets"): return createSecret(body)
        case ("DELETE", let path) where path.hasPrefix("account/secrets/id-"):
            if isRefused { return .problem(403, "access denied") }
            let name = String(path.dropFirst("account/secrets/id-".count))
            let old = account.change { $0.secrets.removeValue(forKey: name) }
            return old == nil ? .problem(404, "secret not found") : .empty
        default: return .problem(404, "The requested path was not found.")
        }
    }

    private var isRefused: Bool { account.change { $0.switches.refusesSecrets } }

    private func createSecret(_ body: JSONValue?) -> Answer {
        if isRefused { return .problem(403, "access denied") }
        guard let name = body?["name"]?.string, let value = body?["value"]?.string else {
            return .problem(422, "Request validation failed.", errors: ["$: missing property 'name'"])
        }
        account.change { $0.secrets[name] = value }
        return .json(.object(["id": .string("id-\(name)"), "name": .string(name)]), status: 201)
    }

    private func createVolume(_ body: JSONValue?) -> Answer {
        guard let name = body?["name"]?.string, let size = body?["size"]?.int, let centre = body?["dataCenter"]?.string,
            (10...4096).contains(size)
        else { return .problem(422, "Request validation failed.", errors: ["$: missing property 'name'"]) }
        let volume = Account.Volume(id: Account.random(10), name: name, size: size, centre: centre)
        account.change { $0.volumes.append(volume) }
        return .json(json(volume), status: 201)
    }

    private func json(_ volume: Account.Volume) -> JSONValue {
        .object([
            "dataCenter": .string(volume.centre), "id": .string(volume.id), "name": .string(volume.name),
            "size": .int(volume.size), "type": .string("STANDARD"),
        ])
    }
}
