/// The state of a process, from /proc/PID/stat, proc(5).
public struct ProcessStat: Sendable {
    public var pid: Int32
    public var state: Character
    public var parent: Int32
    public var group: Int32
    public var session: Int32
    /// The start time in clock ticks after boot.
    public var started: Int
    /// Processor time of all its threads, in clock ticks.
    public var ticksComputed: Int
    /// The address of the program's stack, random for each exec; nil if this process may not read it.
    private var stack: UInt?

    /// nil if there is no such process.
    public init?(pid: Int32) {
        // The name in the second field may contain anything, even ")". So fields are counted after the last ")".
        guard let text = try? File.read("/proc/\(pid)/stat").text, let name = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 19, let state = fields[0].first, let parent = Int32(fields[1]),
            let group = Int32(fields[2]),
            let session = Int32(fields[3]), let user = Int(fields[11]), let system = Int(fields[12]),
            let started = Int(fields[19])
        else { return nil }
        self.pid = pid
        self.state = state
        self.parent = parent
        self.group = group
        self.session = session
        self.started = started
        ticksComputed = user + system
        stack = fields.count > 25 ? UInt(fields[25]).flatMap { $0 == 0 ? nil : $0 } : nil
    }

    /// Whether it has ended and waits to be reaped.
    public var isZombie: Bool { state == "Z" }

    /// Whether the process runs. A zombie does not.
    public static func isRunning(_ pid: Int32) -> Bool { ProcessStat(pid: pid).map { !$0.isZombie } ?? false }

    /// Whether `parent` forked this process, and it still runs the same program.
    public func isFork(of parent: ProcessStat) -> Bool {
        self.parent == parent.pid && stack != nil && stack == parent.stack
    }

    /// Returns every process in /proc.
    public static func all() -> [ProcessStat] {
        ((try? File.list("/proc")) ?? []).compactMap { Int32($0) }.compactMap { ProcessStat(pid: $0) }
    }

    /// Returns every process below `root`. A parent comes before its children.
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
