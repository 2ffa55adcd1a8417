internal import Glibc
internal import Shared

/// The part of the machine's processors that the container may use, cgroups(7). Programs count all processors of the
/// machine, and start far too many threads.
enum CPUQuota {
    /// Returns the number of processors that the quota stands for, 1 at least; nil if there is none, or if it is no
    /// less than `processors`.
    static func processors(
        root: String = "/sys/fs/cgroup", membership: String = "/proc/self/cgroup",
        of processors: Int = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    ) -> Int? {
        guard let groups = try? File.read(membership).text else { return nil }
        let shares = groups.split(separator: "\n").flatMap { line -> [Double] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { return [] }
            // "0::/path" is version 2; version 1 names its controllers.
            if fields[1].isEmpty { return folders(fields[2], below: root).compactMap(share) }
            guard fields[1].split(separator: ",").contains("cpu") else { return [] }
            return ["\(root)/\(fields[1])", "\(root)/cpu"].flatMap { folders(fields[2], below: $0) }
                .compactMap(shareOfVersion1)
        }
        guard let least = shares.min(), least < Double(processors) else { return nil }
        return max(1, Int(least))
    }

    /// The folders of a cgroup and of all above it: each may have a quota. In a container the path may be the host's.
    private static func folders(_ path: String, below root: String) -> [String] {
        var folders = [root]
        for name in path.split(separator: "/") { folders.append("\(folders.last ?? root)/\(name)") }
        return folders
    }

    private static func share(of folder: String) -> Double? {
        share((try? File.read("\(folder)/cpu.max"))?.text.split(separator: " ").map(String.init))
    }

    private static func shareOfVersion1(of folder: String) -> Double? {
        share(["cpu.cfs_quota_us", "cpu.cfs_period_us"].compactMap { try? File.read("\(folder)/\($0)").text })
    }

    /// `words` are the quota and the period, both in microseconds. A quota of -1 or `max` is none.
    private static func share(_ words: [String]?) -> Double? {
        let numbers = (words ?? []).compactMap { Double($0.trimmed) }
        guard numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else { return nil }
        return numbers[0] / numbers[1]
    }
}
