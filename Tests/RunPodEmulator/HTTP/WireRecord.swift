import Foundation
import Glibc

/// Writes each exchange of REST v2 as a line of JSON.
final class WireRecord: Sendable {
    private let file: Int32

    init(_ path: String) throws {
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        if file < 0 { throw EmulatorError("cannot write \(path)") }
    }

    func add(_ request: Connection.Request, _ body: [UInt8], _ answer: Answer) {
        let line: JSONValue = .object([
            "method": .string(request.method), "path": .string(request.target),
            "request": body.isEmpty ? .null : JSONValue(body) ?? .null, "response": answer.json ?? .null,
            "status": .int(answer.status),
        ])
        let bytes = line.bytes + [UInt8(ascii: "\n")]
        // One write appends the whole line, whatever other threads write.
        _ = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }
}
