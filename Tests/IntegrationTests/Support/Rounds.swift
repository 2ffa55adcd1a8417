import Shared

/// How often a test does what has to hold every time: a few times, or as often as `make torture` asks for.
enum Rounds {
    static let areAll = ProcessEnvironment.all["TORTURE"] == "full"

    static func count(_ few: Int, full: Int) -> Int { areAll ? full : few }
}
