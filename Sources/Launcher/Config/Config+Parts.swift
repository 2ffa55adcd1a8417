internal import Shared

extension Config {
    enum Code: Sendable, Equatable {
        /// An absolute path of this machine, and paths in it that are packed whatever ignore rules say.
        case path(String, include: [String] = [])
        case git(url: String, ref: String?)
    }

    enum SecretSource: Sendable, Equatable {
        /// The value of a variable of the environment, `.env` or `.runpod.env`.
        case value(String)
        /// The name of a secret that RunPod keeps.
        case runpod(String)
    }

    struct Mirror: Sendable, Equatable {
        var bucket: String
        var endpoint: String?
        var region: String?
        var prefix: String?
    }
}
