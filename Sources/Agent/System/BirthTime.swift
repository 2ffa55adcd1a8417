internal import CLinux
internal import Glibc

/// The time at which a file was created, statx(2). Overwriting or renaming the file does not change it.
enum BirthTime {
    /// Returns nanoseconds since 1970; nil if the file system does not know the time, or nothing is at `path`.
    static func of(_ path: String) -> Int? {
        let time = linux_birth_time(path)
        return time < 0 ? nil : Int(time)
    }
}
