import Shared
import Testing

/// A Python environment with the newest torch and frameworks, under `.build`, so that later runs find it again.
///
/// Without CUDA it takes 1 GB, and about a minute the first time.
enum TorchEnvironment {
    private static let folder = "\(Programs.package)/.build/torch"

    /// Makes the environment if need be. Returns the path of its Python.
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

    /// The requirement for torch. Some indexes have builds without CUDA, which are several gigabytes smaller.
    private static func torch(_ python: String, _ site: Site) async throws -> String {
        let index = try site.start([python, "-m", "pip", "index", "versions", "torch"])
        // Some versions of pip lack this command.
        try await index.end()
        let versions = index.text.split { !$0.isLetter && !$0.isNumber && !".+".contains($0) }
        // pip prints the newest first.
        return versions.first { $0.hasSuffix("+cpu") }.map { "torch==\($0)" } ?? "torch"
    }
}
