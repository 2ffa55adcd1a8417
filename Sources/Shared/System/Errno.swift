#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The error number of a failed system call, errno(3).
public struct Errno: Error, Equatable, CustomStringConvertible {
    public var code: Int32

    public init(_ code: Int32) { self.code = code }

    /// The calling thread's current error.
    public static var current: Errno { Errno(errno) }

    /// The bytes read are not the bytes that were written.
    static let damaged = Errno(EIO)

    public var description: String {
        String(cString: strerror(code))
    }

    /// Returns the result of `call`. Repeats the call while a signal interrupts it. Throws `Errno` if it returns -1.
    @discardableResult
    public static func check<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
        while true {
            let result = call()
            if result != -1 { return result }
            let error = Errno.current
            if error.code != EINTR { throw error }
        }
    }

    /// Returns true if `call` succeeded and false if it failed with `code`. Throws `Errno` for any other failure.
    @discardableResult
    public static func check(except code: Int32, _ call: () -> Int32) throws(Errno) -> Bool {
        do {
            try check(call)
            return true
        } catch {
            if error.code == code { return false }
            throw error
        }
    }
}
