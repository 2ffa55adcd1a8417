/// The answer to a request.
struct Answer {
    var status = 200
    var headers: [(String, String)] = []
    var bytes: [UInt8] = []
    /// The body, for the record of the wire; nil if it is no JSON.
    var json: JSONValue?
    /// The connection is closed in the middle of the body.
    var isCutInBody = false
    /// The connection is closed without an answer.
    var isLost = false
    /// The answer comes from the service itself, not from the protection in front of it.
    var isRecorded = true

    static func json(_ value: JSONValue, status: Int = 200) -> Answer {
        Answer(status: status, headers: [("Content-Type", "application/json")], bytes: value.bytes, json: value)
    }

    static let empty = Answer(status: 204)

    static func problem(_ status: Int, _ detail: String, errors: [String] = []) -> Answer {
        var body: [String: JSONValue] = [
            "detail": .string(detail), "status": .int(status), "title": .string(titles[status] ?? "Error"),
        ]
        if !errors.isEmpty { body["errors"] = .texts(errors) }
        var answer = json(.object(body), status: status)
        answer.headers = [("Content-Type", "application/problem+json")]
        return answer
    }

    /// The words of the protection in front of the service.
    static func edge(_ status: Int, _ text: String) -> Answer {
        Answer(status: status, headers: [("Content-Type", "text/plain")], bytes: Array(text.utf8), isRecorded: false)
    }

    private static let titles = [
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 409: "Conflict", 410: "Gone", 413: "Payload Too Large",
        422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error",
        503: "Service Unavailable",
    ]
}
