internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Handles Ctrl-C of a follower: leaves the run alone, says how to come back, and ends this command.
///
/// A parent that made this process ignore Ctrl-C, as a shell does for a command in the background, has its way.
struct Interrupt {
    private let isIgnored: Bool

    init(leaving run: RunID) {
        let reset = isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1 ? OpenLine.reset : ""
        farewell.replace(with: reset + "\nlaunch: \"\(run)\" keeps running; come back with: launch attach \(run)\n")
        isIgnored = Self.ignoresInterrupt
        if isIgnored { return }
        signal(SIGINT) { _ in
            // Only calls that are safe in a signal handler, signal-safety(7).
            farewell.write(to: STDERR_FILENO)
            _exit(128 + SIGINT)
        }
    }

    func cancel() {
        if !isIgnored { signal(SIGINT, SIG_DFL) }
    }

    private static var ignoresInterrupt: Bool {
        var action = sigaction()
        sigaction(SIGINT, nil, &action)
        #if canImport(Glibc)
        let handler = action.__sigaction_handler.sa_handler
        #else
        let handler = action.__sigaction_u.__sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

/// Text that a signal handler can write. An earlier text is never freed: the handler may be about to write it.
private struct Farewell {
    private var text: UnsafeMutableBufferPointer<UInt8>?

    mutating func replace(with new: String) {
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: new.utf8.count)
        _ = buffer.initialize(from: new.utf8)
        text = buffer
    }

    func write(to file: Int32) {
        guard let text else { return }
        #if canImport(Glibc)
        _ = Glibc.write(file, text.baseAddress, text.count)
        #else
        _ = Darwin.write(file, text.baseAddress, text.count)
        #endif
    }
}

/// Set before the handler is installed, by the only command of this process.
nonisolated(unsafe) private var farewell = Farewell()
