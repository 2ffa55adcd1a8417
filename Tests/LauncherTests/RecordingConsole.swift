import Synchronization

@testable import Launcher

/// Records what a command prints.
final class RecordingConsole: Sendable {
    private let kept = Mutex<(bytes: [UInt8], errors: String)>(([], ""))

    var bytes: [UInt8] { kept.withLock { $0.bytes } }
    var errors: String { kept.withLock { $0.errors } }

    var console: Console {
        Console(
            output: { [self] bytes in kept.withLock { $0.bytes += bytes } },
            errors: { [self] text in kept.withLock { $0.errors += text } })
    }
}
