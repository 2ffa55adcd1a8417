internal import Glibc

extension sigset_t {
    init(_ signals: [Int32]) {
        self.init()
        sigemptyset(&self)
        for signal in signals { sigaddset(&self, signal) }
    }

    /// Keeps these signals from the calling thread and from all that it starts, until someone fetches them.
    func block() {
        var set = self
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }
}
