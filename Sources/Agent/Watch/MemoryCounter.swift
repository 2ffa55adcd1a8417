internal import Shared

/// The cgroup's counter of processes in this container that the kernel killed for lack of memory.
struct MemoryCounter: Sendable {
    private let path: String

    /// Returns nil if no such counter can be read.
    init?(root: String = "/sys/fs/cgroup", membership: String = "/proc/self/cgroup") {
        guard let groups = try? File.read(membership).text else { return nil }
        var candidates: [String] = []
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            // "0::/path" is version 2; version 1 names its controllers, cgroups(7).
            if fields[1].isEmpty {
                candidates += ["\(root)\(fields[2])/memory.events", "\(root)/memory.events"]
            } else if fields[1].split(separator: ",").contains("memory") {
                candidates += ["\(root)/memory\(fields[2])/memory.oom_control", "\(root)/memory/memory.oom_control"]
            }
        }
        guard let path = candidates.first(where: { Self.kills(at: $0) != nil }) else { return nil }
        self.path = path
    }

    /// The number of kills since the cgroup was made; nil if it can no longer be read.
    var kills: Int? { Self.kills(at: path) }

    /// Reads the line `oom_kill N`, which memory.events and memory.oom_control both have.
    private static func kills(at path: String) -> Int? {
        guard let text = try? File.read(path).text else { return nil }
        return text.split(separator: "\n").compactMap { line in
            line.hasPrefix("oom_kill ") ? Int(line.dropFirst(9)) : nil
        }.first
    }
}
