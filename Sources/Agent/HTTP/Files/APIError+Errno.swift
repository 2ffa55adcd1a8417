internal import Glibc
internal import Shared

extension APIError {
    /// Translates the error of a call on the file or folder `path` of the volume.
    init(_ error: Errno, _ path: String) {
        let code: Code =
            switch error.code {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM, ELOOP, EROFS: .forbidden
            case ENAMETOOLONG, EINVAL: .badRequest
            case EISDIR, EEXIST, ENOTEMPTY, EXDEV: .conflict
            case ENOSPC, EDQUOT: .noSpace
            // An error of the volume itself, which may pass.
            default: .unavailable
            }
        self.init(code, "\"\(path)\": \(error)")
    }
}
