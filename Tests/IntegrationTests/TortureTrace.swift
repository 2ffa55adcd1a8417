import Shared

/// A system call of the agent's on a file of its volume: the n-th that one of its threads makes there.
struct TortureCall: Hashable, Sendable, CustomStringConvertible {
    var name: String
    /// Relative to the volume.
    var path: String
    /// From 1.
    var occurrence: Int
    /// Where the path is another each time: the n-th call of any file in its thread.
    var occurrenceInThread: Int?

    var description: String { "\(name) \(path) #\(occurrence)" }

    /// strace knows it by its file.
    var hasPlace: Bool { occurrenceInThread == nil }

    /// Elsewhere a count would meet the writes by which threads wake each other.
    var takesErrors: Bool { hasPlace || name != "write" }

    /// The words that run a program so that strace does `fault` at this call.
    func tracer(_ fault: TortureFault, volume: String, output: String) -> [String] {
        let place = hasPlace ? ["-P", "\(volume)/\(path)"] : []
        let count = "\(occurrenceInThread ?? occurrence)\(fault.lasts ? "+" : "")"
        return Self.strace + ["-o", output, "-e", "trace=\(name)"]
            + ["-e", "inject=\(name):\(fault.injection):when=\(count)"] + place
    }

    /// Not with `--seccomp-bpf`: a signal that is injected where that stops a thread gets lost.
    static let strace = ["strace", "-f", "-y"]
    static let names = [
        "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
        "symlinkat", "unlink", "unlinkat", "mkdir", "openat",
    ]
}

/// What `strace -f -y` wrote about one run of the agent.
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

    /// The first path of a call below `volume`: what a descriptor leads to, or a string. Not what is written.
    private static func path(in call: Substring, below volume: String) -> String? {
        var arguments = call.drop { $0 != "(" }.dropFirst()
        if arguments.hasPrefix("AT_FDCWD") { arguments = arguments.drop { $0 != "\"" } }
        guard let begin = arguments.firstIndex(where: { $0 == "<" || $0 == "\"" }) else { return nil }
        let rest = arguments[begin...].dropFirst()
        guard rest.hasPrefix(volume + "/") else { return nil }
        return String(rest.dropFirst(volume.utf8.count + 1).prefix { $0 != ">" && $0 != "\"" })
    }

    /// The training saves into the work tree itself.
    private static func isOfTheAgent(_ path: String) -> Bool {
        !["/work/checkpoints", "/work/made", "/work/saving"].contains { path.contains($0) }
    }
}
