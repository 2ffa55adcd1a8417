internal import Glibc
internal import Shared

extension Pipe {
    /// Makes a pseudoterminal that passes bytes on unchanged: it converts no line break and echoes nothing. It is 80
    /// columns wide, so that its lines fit on a follower's terminal.
    static func terminal() throws(Problem) -> Pipe {
        var settings = termios()
        cfmakeraw(&settings)
        // Eight bits and a speed, without which a terminal counts as hung up, termios(3).
        settings.c_cflag |= tcflag_t(CS8 | CREAD)
        cfsetspeed(&settings, speed_t(B38400))
        var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
        var readEnd: Int32 = -1
        var writeEnd: Int32 = -1
        do {
            try Errno.check { openpty(&readEnd, &writeEnd, nil, &settings, &size) }
        } catch {
            throw Problem("make a pseudoterminal for \"tty: true\"", errno: error.code)
        }
        for end in [readEnd, writeEnd] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return Pipe(readEnd: readEnd, writeEnd: writeEnd)
    }
}
