internal import CLinux
internal import Glibc

/// When a file was created, statx(2). Writing over it does not change that, nor does renaming it.
enum BirthTime {
    /// In nanoseconds since 1970. nil where the file system does not tell, or nothing is at `path`.
    static func of(_ path: String) -> Int? {
        let time = linux_birth_time(path)
        return time < 0 ? nil : Int(time)
    }
}
