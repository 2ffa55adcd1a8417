internal import Glibc

/// The limit of descriptors of this process, getrlimit(2).
enum DescriptorLimit {
    /// The descriptors that the agent needs at most. The limit is not higher, because children inherit it, and a
    /// program that uses select(2) fails with descriptors from FD_SETSIZE on, which is 1024.
    private static let wanted: rlim_t = 1024

    /// Raises the soft limit to what the agent needs, as far as the hard limit allows. Returns the limit.
    @discardableResult
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return Int(wanted) }
        if limit.rlim_cur < wanted {
            let former = limit.rlim_cur
            limit.rlim_cur = min(wanted, limit.rlim_max)
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 { limit.rlim_cur = former }
        }
        return Int(min(limit.rlim_cur, wanted))
    }
}
