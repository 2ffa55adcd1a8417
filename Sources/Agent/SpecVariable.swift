internal import Shared

/// The variable `POD_AGENT_SPEC`. A variable takes less than 128 kB, execve(2), so that of a longer spec names a file.
enum SpecVariable {
    private static let name = "POD_AGENT_SPEC"

    /// Returns `variables` with the spec itself in place of `@PATH`.
    static func resolved(_ variables: [String: String]) throws(Problem) -> [String: String] {
        guard let value = variables[name], value.hasPrefix("@") else { return variables }
        var variables = variables
        variables[name] = try File.read(String(value.dropFirst())).text
        return variables
    }
}
