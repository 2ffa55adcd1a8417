import ArgumentParser
internal import Shared

struct Volumes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List and create network volumes, which outlive pods.",
        subcommands: [ListVolumes.self, CreateVolume.self], defaultSubcommand: ListVolumes.self)
}

struct ListVolumes: LauncherCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the network volumes.")

    @Flag(help: "Print JSON.") var json = false

    func run(in world: World) async throws {
        let volumes = try await world.providers.market().volumes()
        if json { return world.console.show(try JSON.text(volumes, pretty: true) + "\n") }
        world.console.show(Self.table(volumes))
    }

    static func table(_ volumes: [StoredVolume]) -> String {
        let rows = volumes.map { [$0.id, $0.name, "\($0.size) GB", $0.datacenter, Dollars.text($0.price)] }
        return Table(["ID", "NAME", "SIZE", "DATA CENTRE", "A MONTH"], rows).text
    }
}

struct CreateVolume: LauncherCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a network volume.",
        discussion: "It is billed until it is deleted in RunPod's console, also while no pod uses it.")

    @Argument(help: "Name for people.") var name: String
    @Option(help: ArgumentHelp("Size in GB, from 10 to 4096.", valueName: "GB")) var size: Int
    @Option(help: ArgumentHelp("Data centre, such as EU-RO-1.", valueName: "id")) var datacenter: String
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (10...4096).contains(size) else { throw ValidationError("--size is from 10 to 4096 GB") }
    }

    func run(in world: World) async throws {
        let volume = try await world.providers.market().createVolume(name: name, size: size, datacenter: datacenter)
        if json { return world.console.show(try JSON.text(volume, pretty: true) + "\n") }
        world.console.show(ListVolumes.table([volume]))
        world.console.note("launch: use it with: resources: {volume: {network: \(volume.id), mount: /workspace}}")
    }
}
