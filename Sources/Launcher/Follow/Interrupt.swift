internal import Dispatch
internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Ctrl-C while following: leaves the run alone, says how to come back, and ends this command.
struct Interrupt {
    private let source: any DispatchSourceSignal

    init(leaving run: RunID, world: World) {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            world.console.note("\nlaunch: \"\(run)\" goes on; come back with: launch attach \(run)")
            exit(128 + SIGINT)
        }
        source.resume()
    }

    func cancel() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
