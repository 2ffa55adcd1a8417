internal import Shared

extension VolumePath {
    /// Whether only the agent may write there: everything except the user's files and the runs' work trees.
    var isAgentsOwn: Bool { Volume.isAgentsOwn(components.map(\.text)) }
}
