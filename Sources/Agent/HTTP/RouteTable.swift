internal import NIOHTTP1
internal import Shared

/// Finds the route of a request, checks the token, and makes a response of every error.
struct RouteTable: Sendable {
    let tokenDigest: SHA256Digest
    let routes: [Route]

    func respond(to request: Request) async -> Response {
        var response = await answer(to: request)
        response.headers.append((APIHeader.agent, Version.current))
        return response
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
        if match?.0.isOpen != true { try authorize(request) }
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

    private func authorize(_ request: Request) throws(APIError) {
        let bearer = request.headers.first(name: "Authorization")
            .flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
        guard let token = bearer ?? request.headers.first(name: APIHeader.token) else {
            throw APIError(.unauthorized, "no token", hint: "send it as \"Authorization: Bearer …\"")
        }
        guard SHA256Digest(of: token).matches(tokenDigest) else {
            throw APIError(.unauthorized, "the token is not this launch's")
        }
    }
}
