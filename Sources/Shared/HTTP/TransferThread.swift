#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import CCurl  // glibc has no module for sigset_t, so it belongs to the first that includes it
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// Runs `work` on a new detached thread with a small stack and all signals blocked.
///
/// Signals belong to the threads that wait for them. OpenSSL writes to a closed connection with write(2); its SIGPIPE
/// stays pending on this thread and ends with it.
///
/// - Throws: `.outOfResources`
func startThread(_ work: @escaping @Sendable () -> Void) throws(HTTPError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 512 << 10)  // a TLS handshake takes about 100 kB

    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

    let box = Unmanaged.passRetained(ThreadWork(work))
    #if canImport(Darwin)
    var thread: pthread_t?
    let code = pthread_create(&thread, &attributes, { runThread($0) }, box.toOpaque())
    #else
    var thread = pthread_t()
    let code = pthread_create(&thread, &attributes, { $0.flatMap(runThread) }, box.toOpaque())
    #endif
    guard code == 0 else {
        box.release()
        throw HTTPError(.outOfResources, "could not start a thread: \(String(cString: strerror(code)))")
    }
}

private final class ThreadWork: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// Takes over the reference that `startThread` retained.
private func runThread(_ box: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<ThreadWork>.fromOpaque(box).takeRetainedValue().run()
    return nil
}
