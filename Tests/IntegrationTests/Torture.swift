import Shared
import TestSupport
import Testing

/// What the suites of the torture have in common.
enum Torture {
    /// All points in place of a few.
    static let isFull = ProcessEnvironment.all["TORTURE"] == "full"

    /// Whether strace is.
    static let isThere = (try? Command.run(TortureCall.strace + ["-o", "/dev/null", "true"]).code) == 0
    static let reason: Comment = "strace is not there, or may not trace"

    /// `width` at a time.
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
