internal import Shared

/// The name of a pod of ours, `launch.RUN.LAUNCH` and marks.
///
/// RunPod has no keys against double purchases, no labels, and does not show which pods are spot pods. Every machine of
/// the user reads all that from the name.
struct RunPodName: Equatable, CustomStringConvertible {
    var run: RunID
    var launch: String
    /// RunPod may take the pod away.
    var isSpot = false
    /// The run has ended for good: it finished, or its user stopped it.
    var isOver = false

    init(run: RunID, launch: String, isSpot: Bool = false) {
        self.run = run
        self.launch = launch
        self.isSpot = isSpot
    }

    /// nil if the name is no name of ours. A run's name has no dot.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts[0] == "launch", let run = RunID(parts[1]), !parts[2].isEmpty else { return nil }
        let marks = parts[3...]
        guard marks.allSatisfy(["spot", "over"].contains) else { return nil }
        self.init(run: run, launch: parts[2], isSpot: marks.contains("spot"))
        isOver = marks.contains("over")
    }

    var description: String { "launch.\(run).\(launch)\(isSpot ? ".spot" : "")\(isOver ? ".over" : "")" }
}
