/// The GPUs and data centres that can be rented.
enum Catalog {
    struct GPU: Sendable {
        var id: String
        var name: String
        var memory: Int
        var secure: Double
        var community: Double
        var centres: [String]
    }

    static let gpus = [
        GPU(
            id: "NVIDIA GeForce RTX 4090", name: "RTX 4090", memory: 24, secure: 0.74, community: 0.34,
            centres: ["EU-RO-1", "US-KS-2"]),
        GPU(id: "NVIDIA L40S", name: "L40S", memory: 48, secure: 1.09, community: 0, centres: ["EU-RO-1"]),
        GPU(
            id: "NVIDIA H100 80GB HBM3", name: "H100 SXM", memory: 80, secure: 3.49, community: 0,
            centres: ["EU-RO-1", "US-KS-2"]),
        GPU(id: "NVIDIA A40", name: "A40", memory: 48, secure: 0.49, community: 0.39, centres: ["US-KS-2"]),
    ]

    /// US dollars for an hour.
    static let pricePerCPU = 0.03

    static let cpus: JSONValue = .object([
        "cpus": .array([
            .object([
                "availability": .string("HIGH"), "group": .string("Gen 3"), "id": .string("cpu3c"),
                "name": .string("Compute-Optimized"),
                "price": .object([
                    "securePerVcpu": .double(pricePerCPU), "serverlessPerVcpu": .double(pricePerCPU),
                ]), "ramGbPerVcpu": .double(2), "vcpu": .object(["max": .int(32), "min": .int(2)]),
            ])
        ])
    ])

    static func json(soldOut: [String]) -> JSONValue {
        .object(["gpus": .array(gpus.map { json($0, isFree: !soldOut.contains($0.id)) })])
    }

    private static func json(_ gpu: GPU, isFree: Bool) -> JSONValue {
        let stock: JSONValue = .string(isFree ? "HIGH" : "NONE")
        return .object([
            "availability": stock, "community": .bool(gpu.community > 0),
            "cudaVersions": .array([.object(["available": .bool(true), "version": .string("12.8")])]),
            "dataCenters": .array(
                gpu.centres.map { .object(["availability": stock, "id": .string($0), "name": .string($0)]) }),
            "id": .string(gpu.id), "manufacturer": .string("NVIDIA"),
            "maxCount": .object(["community": .int(4), "secure": .int(8)]), "memory": .int(gpu.memory),
            "name": .string(gpu.name), "pool": .null,
            "price": .object(["community": .double(gpu.community), "secure": .double(gpu.secure)]),
            "secure": .bool(true),
        ])
    }
}
