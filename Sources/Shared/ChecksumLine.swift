/// A line in the form of sha256sum(1), which `sha256sum -c` reads.
public enum ChecksumLine {
    /// Returns the line of one file, without a newline. It begins with a backslash if the path has escaped characters.
    public static func text(sha256: String, path: String) -> String {
        let escaped = path.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\r", with: "\\r")
        return "\(escaped == path ? "" : "\\")\(sha256)  \(escaped)"
    }
}
