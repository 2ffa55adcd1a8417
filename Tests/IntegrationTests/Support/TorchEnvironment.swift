import Shared
import Testing

/// torch and the frameworks on top of it, the newest of each, in an environment under `.build` that later runs find again.
///
/// One without CUDA takes 1 GB, and the first time about a minute.
enum TorchEnvironment {
    private static let folder = "\(Programs.package)/.build/torch"

    /// The path of its Python, with all packages there.
    static func python(at site: Site) async throws -> String {
        let python = "\(folder)/bin/python"
        try await site.start(["python3", "-m", "venv", folder]).check()
        let packages = [
            "numpy", "safetensors", try await torch(python, site), "transformers", "accelerate", "lightning",
        ]
        let install = try site.start([python, "-m", "pip", "install", "--quiet", "--upgrade"] + packages)
        #expect(try await install.end(within: .seconds(900)) == 0, "\(install.errors)")
        return python
    }

    /// As pip is to be asked for it: some indexes have builds without CUDA, which are several gigabytes smaller.
    private static func torch(_ python: String, _ site: Site) async throws -> String {
        let index = try site.start([python, "-m", "pip", "index", "versions", "torch"])
        // Not every pip has this command.
        try await index.end()
        let versions = index.text.split { !$0.isLetter && !$0.isNumber && !".+".contains($0) }
        // They come newest first.
        return versions.first { $0.hasSuffix("+cpu") }.map { "torch==\($0)" } ?? "torch"
    }
}
