extension RunPodClient {
    /// `POST /v2/pods`. Returns once RunPod has accepted the purchase; billing has begun.
    public func createPod(_ body: PodCreation) async throws(RunPodError) -> RentedPod {
        try await call("POST", "/pods", body, doing: "create a pod with \(body.gpu.count) × \(body.gpu.id)")
    }

    /// `POST /v2/pods` of a pod without a GPU.
    public func createPod(_ body: CPUPodCreation) async throws(RunPodError) -> RentedPod {
        try await call("POST", "/pods", body, doing: "create a CPU pod")
    }

    /// The body that `createPod` sends.
    public static func json(of body: PodCreation) throws -> [UInt8] { try WireJSON.encode(body) }

    /// `GET /v2/pods`, all pages. Terminated pods are not listed.
    public func pods() async throws(RunPodError) -> [RentedPod] {
        var pods: [RentedPod] = []
        var cursor: String?
        var seen: Set<String> = []
        while true {
            let query = cursor.map { "&cursor=\($0.queryEncoded)" } ?? ""
            let page: PodPage = try await call("GET", "/pods?limit=\(Self.pageSize)\(query)", doing: "list the pods")
            pods += page.pods
            guard page.pagination?.hasNextPage == true, let next = page.pagination?.nextCursor,
                seen.insert(next).inserted
            else { return pods }
            cursor = next
        }
    }

    private static let pageSize = 1000

    /// `GET /v2/pods/ID`; nil if there is no such pod.
    public func pod(_ id: String) async throws(RunPodError) -> RentedPod? {
        do {
            return try await call("GET", "/pods/\(id)", doing: "show pod \"\(id)\"")
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    public enum Action: String, Sendable, Encodable {
        case start, stop, terminate
    }

    /// `POST /v2/pods/ID/action`. A pod that is stopped or gone already is no error of `stop` and `terminate`.
    public func act(_ action: Action, on id: String) async throws(RunPodError) {
        do {
            try await perform(
                "POST", "/pods/\(id)/action", ["action": action.rawValue], doing: "\(action.rawValue) pod \"\(id)\"")
        } catch {
            guard action != .start, error.kind == .conflict || error.kind == .notFound else { throw error }
        }
    }

    /// `DELETE /v2/pods/ID`. A pod that is gone already is no error.
    public func deletePod(_ id: String) async throws(RunPodError) {
        do {
            try await perform("DELETE", "/pods/\(id)", doing: "delete pod \"\(id)\"")
        } catch {
            guard error.kind == .conflict || error.kind == .notFound else { throw error }
        }
    }

    /// `PATCH /v2/pods/ID`. A field that is nil stays; `env` replaces all variables.
    public func update(
        _ id: String, name: String? = nil, env: [String: String]? = nil
    ) async throws(RunPodError) {
        struct Change: Encodable, Sendable {
            var name: String?
            var env: [String: String]?
        }
        try await perform("PATCH", "/pods/\(id)", Change(name: name, env: env), doing: "change pod \"\(id)\"")
    }
}

private struct PodPage: Decodable {
    struct Pagination: Decodable {
        var nextCursor: String?
        var hasNextPage: Bool?
    }

    var pods: [RentedPod]
    var pagination: Pagination?
}

extension String {
    /// Everything but letters, digits and `-._~` as `%XX`.
    var queryEncoded: String {
        utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "-._~".utf8.contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(UnicodeScalar(byte)) : "%\(digits.count == 1 ? "0" : "")\(digits)"
        }.joined()
    }
}
