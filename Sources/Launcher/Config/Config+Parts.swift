internal import Shared

extension Config {
    enum Code: Sendable, Equatable {
        /// An absolute path of this machine.
        case path(String)
        case git(url: String, ref: String?)
    }

    struct Install: Sendable, Equatable {
        enum Environment: String, CaseIterable, Sendable { case venv, target, system }
        enum Installer: String, CaseIterable, Sendable { case auto, pip, uv }

        var requirements: [String]
        var overrides: [String]
        var environment: Environment
        var installer: Installer
        var python: String
        var cache: Bool
        /// Modules that must import once all is installed.
        var checkImports: [String]
    }

    enum SecretSource: Sendable, Equatable {
        /// The value of a variable of the environment, `.env` or `.runpod.env`.
        case value(String)
        /// A secret that RunPod keeps.
        case runpod(String)
    }

    struct Resources: Sendable, Equatable {
        enum Order: String, CaseIterable, Sendable { case listed, price }
        enum Cloud: String, CaseIterable, Sendable { case secure, community, any }
        enum Spot: Sendable { case no, yes, prefer }
        enum Volume: Sendable, Equatable {
            case network(id: String, mount: String)
            /// A volume of the pod's own, `size` in GB.
            case pod(size: Int, mount: String)
            /// A folder of this machine, absolute; only `local`.
            case folder(String)
        }

        var gpus: [String] = []
        var gpuCount = 1
        var order = Order.listed
        var cloud = Cloud.secure
        var spot = Spot.no
        /// For an hour of all GPUs together.
        var maxPrice: Money?
        var datacenters: [String] = []
        var minCUDA: String?
        /// The container's disk in GB.
        var disk = 50
        /// As the provider writes them, `8000/http`.
        var ports: [String] = []
        var volume: Volume?
    }

    struct Limits: Sendable, Equatable {
        enum Stall: Sendable, Equatable {
            case none
            case auto
            case after(Duration)
        }

        var duration: Duration?
        var cost: Money?
        var setup = Duration.seconds(30 * 60)
        var stall = Stall.none

        /// In seconds, as the agent is told.
        var resolved: Shared.Limits {
            let still: Shared.Limits.Stall =
                switch stall {
                case .none: .none
                case .auto: .auto
                case .after(let time): .after(seconds: time.inSeconds)
                }
            return Shared.Limits(
                setup: setup.inSeconds, duration: duration?.inSeconds, cost: cost?.dollars, stall: still)
        }
    }

    struct Retry: Sendable, Equatable {
        /// nil: without end.
        var crash: Int? = 2
        var preempted: Int?
        var backoff = Duration.seconds(10)
    }

    enum OnFinish: Sendable, Equatable {
        case terminate
        case stop
        /// nil: without end.
        case keep(Duration?)
    }

    enum DiskFull: Sendable, Equatable {
        case stop
        case pause(Duration)
    }

    struct Mirror: Sendable, Equatable {
        var bucket: String
        var endpoint: String?
        var region: String?
        var prefix: String?
    }
}
