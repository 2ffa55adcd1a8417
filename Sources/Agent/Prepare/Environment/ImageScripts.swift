internal import Glibc
internal import Shared

/// The image's own scripts in Python, such as torchrun. Their first line names the image's interpreter.
struct ImageScripts: Sendable {
    let image: ImagePython

    /// Larger files are no scripts that pip made, in bytes.
    private static let maxSize = 64 << 10

    /// Copies the scripts beside the image's interpreter to `folder`, so that they run under `python`. A name that is
    /// there already stays. A script that cannot be read is left out.
    func copy(to folder: String, runningUnder python: String) throws {
        let source = image.executable.parentFolder
        for name in (try? File.list(source)) ?? [] where File.status("\(folder)/\(name)") == nil {
            // The layer of a run has a pip of its own.
            guard !name.hasPrefix("pip"), let status = File.status("\(source)/\(name)"), status.isFile,
                status.isExecutable, status.size <= Self.maxSize, let script = try? File.read("\(source)/\(name)"),
                let body = body(of: script)
            else { continue }
            try File.write(Self.firstLines(python) + body, over: "\(folder)/\(name)")
            chmod("\(folder)/\(name)", 0o755)
        }
    }

    /// Returns a script of the image's interpreter without its first line; nil for other files.
    private func body(of script: [UInt8]) -> ArraySlice<UInt8>? {
        let first = script.prefix { $0 != UInt8(ascii: "\n") }
        let words = first.dropFirst(2).text.split(separator: " ")
        guard first.starts(with: "#!".utf8), words.count == 1, let interpreter = words.first,
            let real = File.realPath(String(interpreter)), real == File.realPath(image.executable)
        else { return nil }
        return script[first.endIndex...]
    }

    /// A first line may not be long, nor hold blanks, execve(2). So the shell finds the interpreter, and Python reads the
    /// same lines as a text.
    private static func firstLines(_ python: String) -> [UInt8] {
        guard python.contains(" ") || python.utf8.count > 120 else { return Array("#!\(python)".utf8) }
        return Array("#!/bin/sh\n'''exec' \"\(python)\" \"$0\" \"$@\"\n' '''".utf8)
    }
}
