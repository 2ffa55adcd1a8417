internal import RunPod
internal import Shared

/// Judges how far a pod has come by RunPod's own lines about it.
struct RunPodBoot {
    /// The lines so far: pulls, and creations and starts of the container.
    let lines: [String]

    /// Words that show that the image cannot be pulled, lower case.
    private static let noImage = [
        "manifest unknown", "manifest not found", "pull access denied", "repository does not exist", "no such image",
        "unauthorized", "authentication required", "not found: manifest",
    ]
    /// Starts of a container that show a loop: RunPod starts every container again that ends.
    private static let maxStarts = 3

    /// Whether the failure is one of the host, so that a pod on another host may work.
    var isOfHost: Bool { hasOldDriver }

    private var hasOldDriver: Bool { lines.contains { $0.lowercased().contains("unsatisfied condition: cuda") } }

    /// Why this pod will never run its agent; nil if nothing shows that.
    var failure: Problem? {
        let all = lines.map { $0.lowercased() }
        if let line = all.last(where: { line in Self.noImage.contains(where: line.contains) }) {
            return Problem(
                "RunPod cannot pull the image: \(line)",
                hint: "check \"image\"; a private one needs a registry credential in RunPod's console")
        }
        if hasOldDriver {
            return Problem(
                "the driver of the host is too old for the image",
                hint: "set resources.min_cuda to the CUDA version of the image")
        }
        if all.count(where: { $0.contains("start container") }) >= Self.maxStarts {
            return Problem(
                "the container ends at once, and RunPod starts it again and again",
                hint: "the image needs pod-agent at /usr/local/bin/pod-agent, as docker/Dockerfile makes it")
        }
        return nil
    }

    /// RunPod's last words.
    var phase: String? { lines.last }

    /// The lines that come within `timeout`. The stream has no end and no mark after the old lines.
    static func read(_ pod: String, _ client: RunPodClient, within timeout: Duration = .seconds(1)) async -> RunPodBoot
    {
        let lines = Lines()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await line in client.logLines(of: pod, .system, tail: 100) { await lines.add(line) }
                } catch {}
            }
            group.addTask { try? await Task.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
        return RunPodBoot(lines: await lines.all)
    }

    private actor Lines {
        private(set) var all: [String] = []

        func add(_ line: String) { all.append(line) }
    }
}
