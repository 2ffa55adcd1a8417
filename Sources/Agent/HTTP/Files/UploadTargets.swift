internal import Shared
internal import Synchronization

/// The targets that uploads are writing, and the last files that were put in their place.
final class UploadTargets: Sendable {
    /// The number of placed files that are remembered.
    private static let capacity = 64

    /// Another upload writes the target.
    struct Busy: Error {}

    private struct Placed {
        let target: VolumePath
        let sha256: SHA256Digest
        let tag: String
    }

    private struct State {
        var busy: [VolumePath] = []
        var placed: [Placed] = []
    }

    private let state = Mutex(State())

    /// Returns the right to write `target`, until it is released or dropped; nil if another upload has it.
    func claim(_ target: VolumePath) -> Claim? {
        let isFree = state.withLock { state in
            guard !state.busy.contains(target) else { return false }
            state.busy.append(target)
            return true
        }
        return isFree ? Claim(target, of: self) : nil
    }

    /// Remembers that the file with `tag` at `target` has the digest `sha256`.
    func place(_ target: VolumePath, _ sha256: SHA256Digest, tag: String) {
        state.withLock { state in
            state.placed.removeAll { $0.target == target }
            if state.placed.count == Self.capacity { state.placed.removeFirst() }
            state.placed.append(Placed(target: target, sha256: sha256, tag: tag))
        }
    }

    /// Whether an upload put that file there, and the file has not changed since.
    func hasPlaced(_ target: VolumePath, _ sha256: SHA256Digest, tag: String) -> Bool {
        state.withLock { $0.placed.contains { $0.target == target && $0.sha256 == sha256 && $0.tag == tag } }
    }

    final class Claim: Sendable {
        private let target: VolumePath
        private let targets: UploadTargets
        private let isReleased = Atomic(false)

        fileprivate init(_ target: VolumePath, of targets: UploadTargets) {
            self.target = target
            self.targets = targets
        }

        deinit { release() }

        func release() {
            if isReleased.exchange(true, ordering: .relaxed) { return }
            targets.state.withLock { state in state.busy.removeAll { $0 == target } }
        }
    }
}
