internal import Glibc
internal import Shared

/// Notes from time to time when the log's bytes came. It helps people to find something, so no error of it counts.
struct LogIndexWriter {
    /// Between two entries at least.
    static let interval: Duration = .seconds(5)

    let path: String
    private var file: Int32?
    private var position = 0
    private var last: (instant: ContinuousClock.Instant, time: Int)?

    init(path: String) { self.path = path }

    /// That the log goes on at `offset` now. Away from the begin of a line it waits a while for one.
    mutating func note(_ offset: Int, beginsLine: Bool) {
        let now = ContinuousClock.now
        if let last, last.instant.duration(to: now) < (beginsLine ? Self.interval : Self.interval * 4) { return }
        if file == nil {
            let opened = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            if opened >= 0 { file = opened }
        }
        guard let file else { return }
        // Somebody may set the clock back, and readers count on the order.
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
