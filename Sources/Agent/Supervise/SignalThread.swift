internal import Glibc

/// Fetches signals on a thread of its own and hands them on, one by one.
enum SignalThread {
    /// The signals must be blocked already, before any other thread exists.
    static func start(_ signals: [Int32], handler: @escaping @Sendable (Int32) -> Void) {
        DedicatedThread.start {
            var set = sigset_t(signals)
            var signal: Int32 = 0
            while true {
                if sigwait(&set, &signal) == 0 { handler(signal) }
            }
        }
    }
}
