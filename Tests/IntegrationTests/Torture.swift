import Shared
import TestSupport
import Testing

/// The parts that the torture suites share.
enum Torture {
    /// Whether the suites try all points instead of a few.
    static let isFull = ProcessEnvironment.all["TORTURE"] == "full"

    /// Whether strace is there and may trace.
    static let isAvailable = (try? Command.run(TortureCall.strace + ["-o", "/dev/null", "true"]).code) == 0
    static let reason: Comment = "strace is not there, or may not trace"

    /// Runs `body` for each point, `width` at a time.
    static func each<Point: Sendable>(
        _ points: [Point], width: Int, _ body: @escaping @Sendable (Point) async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, point) in points.enumerated() {
                if index >= width { await group.next() }
                group.addTask { await body(point) }
            }
        }
    }
}
