import ArgumentParser
internal import Shared

struct GPUs: LauncherCommand {
    static let configuration = CommandConfiguration(
        commandName: "gpus", abstract: "List the GPUs that can be rented now.",
        discussion: """
            Prices are US dollars for an hour of all GPUs of one pod. The stock is what RunPod says; it misleads both \
            ways.
            """)

    @Option(help: ArgumentHelp("GPUs of one pod (default: 1).", valueName: "number")) var count = 1
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...64).contains(count) else { throw ValidationError("--count is from 1 to 64") }
    }

    func run(in world: World) async throws {
        let kinds = try await world.providers.market().kinds(count: count)
        if json { return world.console.show(try JSON.text(kinds, pretty: true) + "\n") }
        let rows = kinds.map { kind in
            [
                kind.name, kind.memory.map { "\($0) GB" } ?? "?", kind.cloud, kind.price.map(Dollars.text) ?? "?",
                kind.spotPrice.map(Dollars.text) ?? "-", kind.stock, kind.datacenters.joined(separator: " "),
            ]
        }
        let head = ["GPU", "MEMORY", "CLOUD", "PRICE", "SPOT", "STOCK", "DATA CENTRES"]
        world.console.show(Table(head, rows).text)
    }
}
