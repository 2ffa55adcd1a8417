internal import HTTPClient

/// The pause that a 429 asks for.
enum RateLimit {
    /// Seconds until every empty window is over: several can be empty at once, so the longest counts.
    ///
    /// `RateLimit: "minute";r=0;t=12, "hour";r=2800;t=1812` has one member for each window, with the requests that
    /// are left and the seconds until it begins anew.
    static func pause(_ headers: HTTPHeaders) -> Int {
        let windows = headers.values(of: "RateLimit").flatMap { $0.split(separator: ",") }.compactMap(emptyUntil)
        let retryAfter = headers["Retry-After"].flatMap { Int($0) }
        return max(windows.max() ?? 0, retryAfter ?? 0, 1)
    }

    private static func emptyUntil(_ window: Substring) -> Int? {
        let fields = window.split(separator: ";").map { $0.filter { $0 != " " } }
        guard fields.contains("r=0") else { return nil }
        return fields.first { $0.hasPrefix("t=") }.flatMap { Int($0.dropFirst(2)) }
    }
}
