internal import Shared
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Both outputs of a command. Results go to standard output, everything else to standard error.
///
/// It is the one door to the terminal: what it prints may come from a pod, a volume or a stranger's repository, so no text
/// has an effect there but the bytes of the log, which go through `output`.
///
/// Messages are in lower case without a full stop, with things in double quotes, and the hint is on a line of its own.
struct Console: Sendable {
    /// The kind of standard output.
    enum Target: Sendable, Equatable {
        /// `lines` is its height.
        case terminal(lines: Int)
        case file
        /// A pipe, mostly.
        case stream
    }

    /// Takes bytes for standard output: those of the log, which are printed as they are.
    var output: @Sendable ([UInt8]) -> Void
    /// Takes text for standard error.
    var errors: @Sendable (String) -> Void
    var target = Target.file
    /// From now on the command ends when the reader of standard output leaves. Called before the command waits for more
    /// to print.
    var endWithReader: @Sendable () -> Void = {}

    /// The outputs of this process. If both lead to the same place, launch's own words begin on a new line.
    static let standard: Console = {
        let target = StandardOutput.target
        let isShared = StandardOutput.sharesErrors
        return Console(
            output: { bytes in
                StandardOutput.write(bytes)
                if isShared { openLine.withLock { $0.saw(bytes) } }
            },
            errors: { text in StandardOutput.write(errors: openLine.withLock { $0.close() } + text) },
            target: target, endWithReader: { StandardOutput.endWithReader() })
    }()

    /// The current line of standard output.
    private static let openLine = Mutex(OpenLine(isTerminal: isatty(STDOUT_FILENO) == 1))

    /// Prints the result of a command, whole lines.
    func show(_ text: String) { output(Array(text.printable.utf8)) }

    func print(_ line: String) { show(line + "\n") }

    /// Prints lines that are no result.
    func report(_ text: String) { errors(text.printable) }

    func note(_ line: String) { report(line + "\n") }

    func complain(_ problem: Problem) { note("launch: \(problem)") }
}
