internal import HTTPClient
internal import RunPod
internal import Shared

/// A problem that ends the command with a certain exit code.
struct Failure: Error {
    var problem: Problem
    var exit: Exit

    init(_ exit: Exit, _ sentence: String, hint: String? = nil) {
        problem = Problem(sentence, hint: hint)
        self.exit = exit
    }

    init(_ exit: Exit, _ problem: Problem) {
        self.problem = problem
        self.exit = exit
    }
}

extension Failure {
    /// Nothing shows whether the run is alive.
    static func unknown(_ run: RunView) -> Failure {
        Failure(
            .unknown, "it cannot be told whether \"\(run.id)\" is running: its agent cannot be seen from here",
            hint: "ask where it was started")
    }

    /// Turns any error into a problem for the user.
    init(wrapping error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as ConfigError: self.init(.config, error.problem)
        case let problem as Problem: self.init(.unavailable, problem)
        case let error as APIError where error.code == .unauthorized:
            self.init(.refused, error.message, hint: error.hint)
        case let error as APIError: self.init(.unavailable, error.message, hint: error.hint)
        case let fault as HostFault: self = fault.failure
        case let gone as OfferGone: self.init(.noCapacity, gone.description, hint: "try again later")
        case let error as RunPodError: self.init(Self.exit(error.kind), error.sentence, hint: error.hint)
        case let error as HTTPError: self.init(.unavailable, error.message, hint: error.hint)
        default: self.init(.unavailable, "\(error)")
        }
    }

    private static func exit(_ kind: RunPodError.Kind) -> Exit {
        switch kind {
        case .unauthorized, .forbidden: .refused
        case .noCapacity, .notOffered: .noCapacity
        default: .unavailable
        }
    }
}
