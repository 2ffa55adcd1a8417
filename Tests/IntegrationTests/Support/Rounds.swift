import Shared

/// How often a test repeats its check: a few times, or many times under `make torture`.
enum Rounds {
    static let areAll = ProcessEnvironment.all["TORTURE"] == "full"

    static func count(_ few: Int, full: Int) -> Int { areAll ? full : few }
}
