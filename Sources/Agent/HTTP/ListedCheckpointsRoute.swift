internal import Shared

/// `GET /v1/checkpoints/RUN`: the checkpoints that lie on the volume, as `CheckpointFolder` finds them.
struct ListedCheckpointsRoute: Sendable {
    let volume: VolumeAccess

    /// Listing thousands of files on a network volume takes long.
    private static let timeout: Duration = .seconds(50)

    var route: Route {
        Route("GET", RoutePattern(Endpoint.checkpoints + "/*")) { request in
            guard let run = RunID(request.rest) else {
                throw APIError(.badRequest, "\"\(request.rest)\" is not the name of a run")
            }
            return try .json(
                try await volume.run(within: Self.timeout) { [volume] in
                    try volume.volume.run(run).listedCheckpoints()
                })
        }
    }
}
