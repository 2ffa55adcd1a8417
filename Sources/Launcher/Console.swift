internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Results go to standard output, everything else to standard error: lower case, no full stop, things in double quotes,
/// and a hint on a line of its own.
struct Console: Sendable {
    /// Takes bytes for standard output.
    var output: @Sendable ([UInt8]) -> Void
    /// Takes text for standard error.
    var errors: @Sendable (String) -> Void

    static let standard = Console(
        output: { bytes in
            // Who reads this is gone, or has no room: the run goes on without this command.
            do { try File.write(bytes[...], to: STDOUT_FILENO) } catch { exit(EX_IOERR) }
        },
        errors: { text in try? File.write(Array(text.utf8)[...], to: STDERR_FILENO) })

    func print(_ line: String) { output(Array((line + "\n").utf8)) }

    func note(_ line: String) { errors(line + "\n") }

    func complain(_ problem: Problem) { errors("launch: \(problem)\n") }
}
