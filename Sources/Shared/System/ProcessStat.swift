/// What /proc/PID/stat says of a process, proc(5).
public struct ProcessStat: Sendable {
    public var pid: Int32
    public var state: Character
    public var parent: Int32
    public var group: Int32
    public var session: Int32
    /// In clock ticks after boot.
    public var started: Int
    /// Where the stack of the program begins, at random for each exec; nil where this process may not know.
    private var stack: UInt?

    /// nil where there is no such process.
    public init?(pid: Int32) {
        // The name in the second field may hold anything, ")" and newlines included: fields are counted after the last ")".
        guard let text = try? File.read("/proc/\(pid)/stat").text, let name = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 19, let state = fields[0].first, let parent = Int32(fields[1]),
            let group = Int32(fields[2]),
            let session = Int32(fields[3]), let started = Int(fields[19])
        else { return nil }
        self.pid = pid
        self.state = state
        self.parent = parent
        self.group = group
        self.session = session
        self.started = started
        stack = fields.count > 25 ? UInt(fields[25]).flatMap { $0 == 0 ? nil : $0 } : nil
    }

    /// It has ended, and only waits to be reaped.
    public var isZombie: Bool { state == "Z" }

    /// A zombie does not run any more.
    public static func isRunning(_ pid: Int32) -> Bool { ProcessStat(pid: pid).map { !$0.isZombie } ?? false }

    /// Whether this process was forked by that one, and runs on in the same program.
    public func isFork(of parent: ProcessStat) -> Bool {
        self.parent == parent.pid && stack != nil && stack == parent.stack
    }

    /// Every process that /proc shows.
    public static func all() -> [ProcessStat] {
        ((try? File.list("/proc")) ?? []).compactMap { Int32($0) }.compactMap { ProcessStat(pid: $0) }
    }

    /// Every process below `root`, children before their own children.
    public static func descendants(of root: Int32) -> [ProcessStat] {
        let children = Dictionary(grouping: all(), by: \.parent)
        var found: [ProcessStat] = []
        var parents = [root]
        while let parent = parents.popLast() {
            let below = children[parent] ?? []
            found += below
            parents += below.map(\.pid)
        }
        return found
    }
}
