internal import Glibc
internal import Shared

/// Notes from time to time at which offset the log was. Ignores errors: the index only helps users to search.
struct LogIndexWriter {
    /// The shortest time between two entries.
    static let interval: Duration = .seconds(5)

    let path: String
    private var file: Int32?
    private var position = 0
    private var last: (instant: ContinuousClock.Instant, time: Int)?

    init(path: String) { self.path = path }

    /// Notes that the log is at `offset` now, if an entry is due. Prefers the beginning of a line for up to four
    /// intervals.
    mutating func note(_ offset: Int, beginsLine: Bool) {
        let now = ContinuousClock.now
        if let last, last.instant.duration(to: now) < (beginsLine ? Self.interval : Self.interval * 4) { return }
        if file == nil {
            let opened = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o644)
            if opened >= 0 { file = opened }
        }
        guard let file else { return }
        // The system's clock may be set back, but readers depend on ascending times.
        let time = max(Glibc.time(nil), last?.time ?? 0)
        let line = LogIndex.Entry(time: time, offset: offset).line
        guard pwrite(file, line, line.count, off_t(position)) == line.count else { return }
        position += line.count
        last = (now, time)
    }

    func close() {
        if let file { Glibc.close(file) }
    }
}
