import Shared

/// A system call of the agent on a file of its volume: the n-th call by that name of one thread on that file.
struct TortureCall: Hashable, Sendable, CustomStringConvertible {
    var name: String
    /// Relative to the volume.
    var path: String
    /// Counts from 1.
    var occurrence: Int
    /// The number among the calls of its thread on any file. nil unless the path is another one in each run.
    var occurrenceInThread: Int?

    var description: String { "\(name) \(path) #\(occurrence)" }

    /// Whether strace can find the call by its file.
    var hasPlace: Bool { occurrenceInThread == nil }

    /// Whether errors can be injected. Without the file they would also hit writes with which threads wake each other.
    var takesErrors: Bool { hasPlace || name != "write" }

    /// The words before a program that make strace inject `fault` at this call.
    func tracer(_ fault: TortureFault, volume: String, output: String) -> [String] {
        let place = hasPlace ? ["-P", "\(volume)/\(path)"] : []
        let count = "\(occurrenceInThread ?? occurrence)\(fault.lasts ? "+" : "")"
        return Self.strace + ["-o", output, "-e", "trace=\(name)"]
            + ["-e", "inject=\(name):\(fault.injection):when=\(count)"] + place
    }

    /// `--seccomp-bpf` is left out: it loses a signal that strace injects.
    static let strace = ["strace", "-f", "-y"]
    static let names = [
        "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
        "symlinkat", "unlink", "unlinkat", "mkdir", "openat",
    ]
}

/// The output of `strace -f -y` for one run of the agent.
struct TortureTrace {
    /// In the order in which they were made.
    private(set) var calls: [TortureCall] = []

    init(_ text: String, volume: String) {
        var counts: [[String]: Int] = [:]
        var seen: Set<TortureCall> = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard words.count == 2, let bracket = words[1].firstIndex(of: "(") else { continue }
            let name = String(words[1].prefix(upTo: bracket).drop { $0 == " " })
            guard TortureCall.names.contains(name) else { continue }
            let thread = String(words[0])
            counts[[name, thread], default: 0] += 1
            guard let path = Self.path(in: words[1], below: volume), Self.isOfTheAgent(path) else { continue }
            counts[[name, thread, path], default: 0] += 1
            if name == "openat" && !line.contains("O_CREAT") { continue }
            var call = TortureCall(name: name, path: path, occurrence: counts[[name, thread, path]] ?? 0)
            if path.contains(".claim.") {
                call.path = String(path.prefix { $0 != "." }) + ".claim.aside"
                call.occurrenceInThread = counts[[name, thread]]
            }
            if seen.insert(call).inserted { calls.append(call) }
        }
    }

    /// The first path below `volume` among the arguments, of a descriptor or as a string. Written bytes do not count.
    private static func path(in call: Substring, below volume: String) -> String? {
        var arguments = call.drop { $0 != "(" }.dropFirst()
        if arguments.hasPrefix("AT_FDCWD") { arguments = arguments.drop { $0 != "\"" } }
        guard let begin = arguments.firstIndex(where: { $0 == "<" || $0 == "\"" }) else { return nil }
        let rest = arguments[begin...].dropFirst()
        guard rest.hasPrefix(volume + "/") else { return nil }
        return String(rest.dropFirst(volume.utf8.count + 1).prefix { $0 != ">" && $0 != "\"" })
    }

    /// Whether the call is the agent's. The training itself saves into these folders of the work tree.
    private static func isOfTheAgent(_ path: String) -> Bool {
        !["/work/checkpoints", "/work/made", "/work/saving"].contains { path.contains($0) }
    }
}
