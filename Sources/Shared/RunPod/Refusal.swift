internal import HTTPClient

/// The body of a refusal, `application/problem+json`.
struct RefusalBody: Decodable {
    var title: String?
    var detail: String?
    var errors: [String]?
}

/// Reads what a refused request means from its status and text. REST v2 has no codes for it.
enum Refusal {
    /// Texts of "no capacity", lower case.
    private static let noCapacity = [
        "no longer any instances available", "no instances currently available", "does not have the resources",
        "insufficient capacity", "insufficient resources", "no instances", "resourcesunavailable",
        "not enough free gpus", "not enough free memory", "try a different machine",
    ]

    private static let notOffered = ["could not find any pods with required specifications"]

    /// The error of an answer that is no success. `doing` is a verb phrase, such as `create a pod`.
    static func error(_ response: HTTPResponse, doing: String) -> RunPodError {
        let body = try? WireJSON.decode(RefusalBody.self, from: response.body)
        let kind = kind(response.status, body)
        var text = body?.detail ?? body?.title ?? plain(response)
        if let errors = body?.errors, !errors.isEmpty { text += " \(errors.joined(separator: "; "))" }
        let id = response.headers["x-request-id"]
        let reference = id.map { " (request \($0))" } ?? ""
        return RunPodError(
            kind, "RunPod refused to \(doing): \(text.isEmpty ? "HTTP \(response.status)" : text)\(reference)",
            hint: hint(kind, response), status: response.status, requestID: id,
            mayHaveWorked: response.status >= 500 || response.status == 408)
    }

    /// The kind of a text that came as HTTP 200, as GraphQL reports errors.
    static func kind(ofText text: String) -> RunPodError.Kind {
        let text = text.lowercased()
        if noCapacity.contains(where: text.contains) { return .noCapacity }
        if notOffered.contains(where: text.contains) { return .notOffered }
        if text.contains("balance is too low") || text.contains("insufficient balance") { return .lowBalance }
        if text.contains("not found") { return .notFound }
        if text.contains("something went wrong") { return .service }
        return .invalid
    }

    private static func kind(_ status: Int, _ body: RefusalBody?) -> RunPodError.Kind {
        switch status {
        case 400:
            let kind = kind(ofText: body?.detail ?? "")
            return kind == .notFound ? .invalid : kind
        case 401: return .unauthorized
        case 402: return .lowBalance
        case 403: return .forbidden
        case 404, 410: return .notFound
        case 409: return .conflict
        case 429: return .rateLimited
        case 408, 500...: return .service
        default: return .invalid
        }
    }

    private static func hint(_ kind: RunPodError.Kind, _ response: HTTPResponse) -> String? {
        switch kind {
        case .unauthorized: "set RUNPOD_API_KEY in the environment or in .env; keys are made in RunPod's console"
        case .forbidden where response.text.contains("1010"):
            "the protection in front of RunPod refused this program's name"
        case .forbidden: "give the API key the right in RunPod's console, or use another key"
        case .lowBalance: "add credit in RunPod's console, under Billing"
        case .rateLimited: "wait a minute; another program may use the same key"
        case .service: "RunPod may have trouble: see status.runpod.io"
        default: nil
        }
    }

    /// The first line of an answer that is no JSON.
    private static func plain(_ response: HTTPResponse) -> String {
        guard response.headers["Content-Type"]?.contains("html") != true else { return "" }
        return String(response.text.prefix { $0 != "\n" }.prefix(200))
    }
}
