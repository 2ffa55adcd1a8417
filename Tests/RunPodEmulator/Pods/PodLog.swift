import Foundation

/// The lines that a pod's log stream shows.
final class PodLog: @unchecked Sendable {
    struct Line {
        var id: String
        var source: String
        var text: String
        var time: Date
    }

    private let lock = NSLock()
    private var all: [Line] = []

    func add(_ source: String, _ text: String) {
        lock.withLock {
            let now = Date()
            let number = String(all.count + 1)
            let id = "\(EmulatedPod.time(now))/\(String(repeating: "0", count: 12 - number.count))\(number)"
            all.append(Line(id: id, source: source, text: text, time: now))
        }
    }

    var lines: [Line] { lock.withLock { all } }
}
