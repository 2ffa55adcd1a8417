internal import FoundationEssentials
internal import Glibc
internal import Shared

/// The empty checkpoint folder that an attempt left that ended before its first save. Some trainers refuse to start in
/// a folder that exists.
struct LeftoverFolder: Sendable {
    let receipts: Receipts

    /// Removes the folder if it is empty and an earlier attempt of the run made it. Returns whether it did.
    func remove() throws -> Bool {
        let path = receipts.folder.path
        guard let began = try firstTraining(), let born = BirthTime.of(path), born > began else { return false }
        try receipts.checkOwner()
        // rmdir(2) removes no folder that holds anything.
        return rmdir(path) == 0
    }

    /// The time at which the run's first training began, in nanoseconds since 1970; nil if there was none.
    private func firstTraining() throws -> Int? {
        let earlier = try receipts.run.claims().filter { $0.number < receipts.claim.number }
        let began = earlier.lazy.compactMap { try? receipts.run.readRecord($0.number)?.began(.training) }.first
        return began.map { Int($0.timeIntervalSince1970 * 1e9) }
    }
}
