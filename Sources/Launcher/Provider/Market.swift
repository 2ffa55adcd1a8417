/// The part of a provider that rents out machines and keeps volumes, for commands that need no run.
protocol Market: Sendable {
    /// Every kind of GPU that comes as `count` in one pod, the cheapest first.
    func kinds(count: Int) async throws -> [GPUKind]

    func volumes() async throws -> [StoredVolume]

    /// `size` is in GB.
    func createVolume(name: String, size: Int, datacenter: String) async throws -> StoredVolume

    func funds() async throws -> Funds

    /// Checks the account, and the parts of `config` that need it. Buys nothing.
    func examine(_ config: Config?) async -> [Finding]

    /// The words of an ssh command into the pod; nil if the pod has none yet.
    func shell(into pod: Pod) async throws -> [String]?
}
