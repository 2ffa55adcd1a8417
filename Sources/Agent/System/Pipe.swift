internal import CLinux
internal import Glibc
internal import Shared

/// Both ends of a pipe, which are closed on exec. The caller closes both.
struct Pipe {
    let readEnd: Int32
    let writeEnd: Int32

    init(readEnd: Int32, writeEnd: Int32) {
        self.readEnd = readEnd
        self.writeEnd = writeEnd
    }

    init() throws(Problem) {
        var ends: [Int32] = [0, 0]
        do { try Errno.check { pipe2(&ends, O_CLOEXEC) } } catch { throw Problem("make a pipe", errno: error.code) }
        readEnd = ends[0]
        writeEnd = ends[1]
    }
}
