internal import NIOHTTP1
internal import Shared

/// Finds the route of a request and makes a response of every error. `admit` checks the token, before a request gets
/// here.
struct RouteTable: Sendable {
    let tokenDigest: SHA256Digest
    let routes: [Route]

    func respond(to request: Request) async -> Response {
        signed(await answer(to: request))
    }

    /// The response as one of an agent, not of a proxy in front of it.
    func signed(_ response: Response) -> Response {
        var response = response
        response.headers.append((APIHeader.agent, Version.current))
        return response
    }

    /// Anyone may ask, without the token.
    func isOpen(_ head: HTTPRequestHead) -> Bool {
        let path = Request.path(of: head.uri)
        return routes.contains { route in
            route.isOpen && route.methods.contains(head.method.rawValue) && route.pattern.rest(of: path) != nil
        }
    }

    private func answer(to request: Request) async -> Response {
        do {
            return try await route(request)
        } catch let error as APIError {
            return .error(error)
        } catch {
            Console.say("\(request.method) \(request.path): \(error)")
            return .error(APIError(.internal, "the agent failed to answer; its own log says more"))
        }
    }

    private func route(_ request: Request) async throws -> Response {
        let matches = routes.compactMap { route in route.pattern.rest(of: request.path).map { (route, rest: $0) } }
        let match = matches.first { $0.0.methods.contains(request.method) }
        guard let (route, rest) = match else {
            if matches.isEmpty { throw APIError(.notFound, "there is no \"\(request.path)\"") }
            let error = APIError(.methodNotAllowed, "\(request.method) is not for \"\(request.path)\"")
            return .error(error, headers: [("Allow", matches.flatMap(\.0.methods).joined(separator: ", "))])
        }
        var request = request
        request.rest = rest
        try request.body.limit(to: route.bodyLimit)
        return try await route.respond(request)
    }
}
