internal import Glibc
internal import Shared

/// The signs of life that `serve` posts to `init`, a byte each on a pipe. The first one says that `serve` takes
/// signals.
enum SignOfLife {
    static let descriptor: Int32 = 3

    private static let interval: Duration = .seconds(2)

    /// Posts the first sign, and then one after each interval, from the threads that all other work of `serve` uses.
    /// If those hang, no sign comes.
    static func begin() {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // A pipe that is full means that `init` stands still: a sign less is no loss.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        post()
        Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                post()
            }
        }
    }

    private static func post() {
        var sign: UInt8 = 1
        // Fails without harm if this process got no such descriptor.
        _ = write(descriptor, &sign, 1)
    }
}
