internal import Shared

extension VolumePath {
    /// Whether the agent keeps its own records there: all but the user's files, and the runs' work trees.
    var isAgentsOwn: Bool { Volume.isAgentsOwn(components.map(\.text)) }
}
