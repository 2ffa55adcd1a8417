internal import Glibc

extension sigset_t {
    init(_ signals: [Int32]) {
        self.init()
        sigemptyset(&self)
        for signal in signals { sigaddset(&self, signal) }
    }

    /// Blocks these signals in the calling thread and in all threads and processes that it starts. They stay pending.
    func block() {
        var set = self
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }
}
