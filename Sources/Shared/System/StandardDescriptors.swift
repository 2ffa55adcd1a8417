#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The descriptors 0, 1 and 2 of this process.
public enum StandardDescriptors {
    /// Opens /dev/null in the place of each one that is closed. Call it first: else the next file that this process
    /// opens would take that place, and get what is meant for a terminal.
    public static func open() {
        while case let file = openNull(), file >= 0 {
            if file <= STDERR_FILENO { continue }
            close(file)
            return
        }
    }

    private static func openNull() -> Int32 {
        #if canImport(Glibc)
        Glibc.open("/dev/null", O_RDWR)
        #else
        Darwin.open("/dev/null", O_RDWR)
        #endif
    }
}
