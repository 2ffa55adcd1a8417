extension [Claim] {
    /// Where the run's log parts from what a follower has: `stream` names the attempt that its last bytes belong to, and `end` is
    /// the offset after them. What it has from there on was lost with a pod before it was on stable storage. nil where nothing was.
    public func cut(of stream: String?, before end: Int) -> Int? {
        // A later attempt begins where the log then ended, and each power cut may take more of it.
        drop { $0.stream != stream }.dropFirst().map(\.logStart).min().flatMap { $0 < end ? $0 : nil }
    }
}
