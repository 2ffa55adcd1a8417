/// The signals that a process blocks, ignores and has handlers for: /proc/PID/status, proc(5).
public struct ProcessSignals: Sendable {
    /// Bit n - 1 is signal n.
    public let blocked: UInt64
    public let ignored: UInt64
    public let caught: UInt64

    /// nil if there is no such process.
    public init?(of pid: Int32) {
        guard let status = try? File.read("/proc/\(pid)/status").text else { return nil }
        func mask(_ name: String) -> UInt64? {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line.flatMap { UInt64($0.dropFirst(name.count + 1).trimmed, radix: 16) }
        }
        guard let blocked = mask("SigBlk"), let ignored = mask("SigIgn"), let caught = mask("SigCgt") else {
            return nil
        }
        self.blocked = blocked
        self.ignored = ignored
        self.caught = caught
    }

    public func blocks(_ signal: Int32) -> Bool { Self.has(signal, blocked) }

    public func catches(_ signal: Int32) -> Bool { Self.has(signal, caught) }

    private static func has(_ signal: Int32, _ mask: UInt64) -> Bool { mask >> UInt64(signal - 1) & 1 == 1 }
}
