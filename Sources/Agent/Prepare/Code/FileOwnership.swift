/// Decides who owns one path of the work tree. Compares three contents: that of the last pack, that of the work tree,
/// and that of the new pack.
///
/// A file that still is what a pack brought follows the new pack. Any other file is a result of the training. If the
/// laptop's copy did not change since the last pack, the result stays. If it did, the new pack's file takes the place
/// and the result is kept elsewhere.
enum FileOwnership {
    enum Action: Equatable {
        /// The path stays as it is: the new pack's content is in place, or no pack brought anything there.
        case leave
        /// The new pack's content comes, in the place of nothing or of what a pack brought.
        case put
        /// A file of an earlier pack goes.
        case remove
        /// A result of the training moves out of the way, and then the new pack's content comes.
        case setAside
        /// A result of the training stays, although the new pack has another content or none.
        case stay
    }

    /// Returns the action for a path. A content is nil if the path does not exist there.
    ///
    /// `interrupted` are the contents that packs of unfinished syncs may have brought. A file that is missing comes
    /// again, because the absence of code is no result. A changed executable bit alone is no result either.
    static func decide(
        last: CodeContent?, interrupted: [CodeContent] = [], here: CodeContent?, new: CodeContent?
    ) -> Action {
        guard let here else { return new == nil ? .leave : .put }
        let brought = (last.map { [$0] } ?? []) + interrupted
        let isBrought = brought.contains { here.hasSameBytes(as: $0) }
        guard let new else {
            if brought.isEmpty { return .leave }
            return isBrought ? .remove : .stay
        }
        if here.hasSameBytes(as: new) {
            let isBitOfTraining = new == last && !interrupted.contains(here)
            return here == new || isBitOfTraining ? .leave : .put
        }
        if isBrought { return .put }
        // A result in the place of a folder would keep out all files below.
        return new != .folder && new.hasSameBytes(as: last) ? .stay : .setAside
    }
}
