/// The changes of a sync. The plan is made before the first change.
struct CodePlan {
    /// A result of the training that must make room.
    struct Replaced {
        var path: CodePath
        /// Absolute.
        var target: String
    }

    /// A result of the training that stays although the pack differs.
    struct Stay {
        var path: CodePath
        /// Whether the new pack has the path too.
        var isInCode: Bool
    }

    /// Files and links of earlier packs.
    var removals: [CodePath] = []
    /// Folders of earlier packs that the new pack does not have. They go if they are empty.
    var emptied: [CodePath] = []
    var replaced: [Replaced] = []
    var stays: [Stay] = []
    /// Members of the new pack to put in place.
    var puts: Set<CodePath> = []
}
