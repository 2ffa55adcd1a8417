extension [Claim] {
    /// Returns the offset at which the run's log differs from a follower's copy; nil if the copy is right.
    ///
    /// `stream` is the attempt of the copy's last bytes, and `end` the offset after them. Bytes after the cut were lost
    /// with a pod before they were on stable storage.
    public func cut(of stream: String?, before end: Int) -> Int? {
        // A later attempt begins at the end that the log then had. Each loss of power may move that end back.
        drop { $0.stream != stream }.dropFirst().map(\.logStart).min().flatMap { $0 < end ? $0 : nil }
    }
}
