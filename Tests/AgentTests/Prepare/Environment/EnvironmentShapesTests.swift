import Foundation
import Shared
import TestSupport
import Testing

@testable import Agent

/// Shapes of requirement trees, each with one package that says its own content. Nothing is fetched from a network.
struct RequirementShape: Sendable, CustomTestStringConvertible {
    var name: String
    /// The requirement file. `WORK` stands for the work tree.
    var file = "r.txt"
    var text: String
    /// Other files of the work tree.
    var files: [String: String] = [:]
    /// A wheel of the package in this folder. Its name stays the same when its content changes.
    var wheel: String?
    /// A folder with the sources of the package.
    var source: String?
    /// Whether changed content needs no other environment, because Python reads the sources in place.
    var isInPlace = false
    var encoding = String.Encoding.utf8
    var env: [String: String] = [:]

    var testDescription: String { name }

    private static let index = "--no-index\n"

    /// A few shapes, or all of them under `make torture`: each one takes four installations.
    static var tested: [RequirementShape] {
        if ProcessEnvironment.all["TORTURE"] == "full" { return all }
        return all.filter { ["nested files", "an editable package that its backend copies"].contains($0.name) }
    }

    static let all = [
        RequirementShape(name: "a wheel by its path", text: index + "./w/shape-1.0-py3-none-any.whl\n", wheel: "w"),
        RequirementShape(
            name: "a wheel by its URL", text: index + "shape @ file://WORK/w/shape-1.0-py3-none-any.whl\n", wheel: "w"),
        RequirementShape(name: "a wheel at the top", text: index + "shape-1.0-py3-none-any.whl\n", wheel: "."),
        RequirementShape(name: "a folder of wheels", text: index + "--find-links w\nshape\n", wheel: "w"),
        RequirementShape(name: "a quoted folder of wheels", text: index + "-f 'my w'\nshape==1.0\n", wheel: "my w"),
        RequirementShape(
            name: "nested files", file: "a/r.txt", text: "-r b/more.txt\n",
            files: ["a/b/more.txt": index + "-c ../c.txt\n--find-links=../../w\nshape\n", "a/c.txt": "shape<2\n"],
            wheel: "w"),
        RequirementShape(
            name: "continued lines after a byte order mark",
            text: "\u{feff}--no-index \\\r\n  --find-links w\r\nshape \\\r\n  == 1.0\r\n", wheel: "w"),
        RequirementShape(
            name: "latin-1", text: "# coding: latin-1 für\n" + index + "./w/shape-1.0-py3-none-any.whl\n", wheel: "w",
            encoding: .isoLatin1),
        RequirementShape(
            name: "a variable", text: index + "./${FOLDER}/shape-1.0-py3-none-any.whl\n", wheel: "w",
            env: ["FOLDER": "w"]),
        RequirementShape(name: "a local package", text: index + "./lib\n", source: "lib"),
        RequirementShape(
            name: "an editable package", text: index + "-e ./lib\n", source: "lib", isInPlace: true),
        RequirementShape(
            name: "an editable package that its backend copies", text: index + "--editable=lib\n",
            files: ["lib/copies": ""], source: "lib"),
    ]
}

/// The environments of real requirement trees, with the real Python and pip of this machine.
@Suite(.serialized, .timeLimit(.minutes(10))) struct EnvironmentShapesTests {
    @Test(
        "an environment is found again unless its content, its place or its image changed",
        .enabled(if: Python.hasPip, "this machine has no python3 with pip"), arguments: RequirementShape.tested)
    func shape(_ shape: RequirementShape) async throws {
        let bed = try ShapeBed(shape)
        try bed.write(value: "old")
        let first = try await bed.install()
        #expect(try await bed.value(first) == "old")

        // Nothing changed.
        #expect(try await bed.install() == first)

        // A comment changed.
        try bed.write(value: "old", comment: "# another comment")
        #expect(try await bed.install().shared == first.shared)

        // The content changed under the same name and version.
        try bed.write(value: "new")
        let second = try await bed.install()
        #expect(try await bed.value(second) == "new")
        #expect((second.shared == first.shared) == shape.isInPlace)

        // The image has one more package.
        try bed.changeImage()
        let third = try await bed.install()
        #expect(third.shared != second.shared)
        #expect(try await bed.value(third) == "new")

        // The volume moved.
        try bed.move()
        try bed.write(value: "new")
        let moved = try await bed.install()
        #expect(moved.shared.hasPrefix(bed.volume.root))
        #expect(try await bed.value(moved) == "new")
    }

    @Test(
        "scripts of the image see the environment, and the next start does not see what the training installed",
        .enabled(if: Python.hasPip, "this machine has no python3 with pip"))
    func imageScript() async throws {
        let bed = try ShapeBed(RequirementShape.all[0])
        try bed.write(value: "old")
        let python = try await bed.install()
        let script =
            "import subprocess, sys, shape; print(shape.V); "
            + "subprocess.call([sys.executable, '-c', 'import shape; print(shape.V)'])"
        let image = try #require(Python.executable)
        #expect(try await bed.output([image, "-c", script], python) == "old\nold")

        try ShapeBed.wheel("\(bed.root)/more", name: "extra", value: "x")
        _ = try await bed.output(
            ["pip", "install", "-q", "--no-index", "\(bed.root)/more/extra-1.0-py3-none-any.whl"], python)
        for interpreter in [image, "python", "\(python.shared)/bin/python"] {
            #expect(try await bed.output([interpreter, "-c", "import extra; print(extra.V)"], python) == "x")
        }
        let again = try await bed.install()
        #expect(again == python)
        await #expect(throws: Problem.self) { try await bed.output(["python", "-c", "import extra"], again) }
    }
}

enum Python {
    /// The interpreter that `python3` leads to; nil if there is none with pip.
    static let executable: String? = {
        let process = Foundation.Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "python3 -m pip --version >/dev/null 2>&1 && python3 -c 'import sys; print(sys.executable)'",
        ]
        let pipe = Foundation.Pipe()
        process.standardOutput = pipe
        guard (try? process.run()) != nil else { return nil }
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? Array(output).text.trimmed : nil
    }()

    static var hasPip: Bool { executable != nil }
}

/// A volume with one run, whose requirements have one shape.
final class ShapeBed {
    let root: String
    private let folder: TemporaryFolder
    private let shape: RequirementShape
    private let run: RunID
    private var place = "volume"
    private var hasMore = false

    var volume: Volume { Volume(root: "\(root)/\(place)") }
    private var work: String { volume.run(run).work }

    init(_ shape: RequirementShape) throws {
        folder = try TemporaryFolder("shape")
        root = folder.path
        self.shape = shape
        run = try #require(RunID("train"))
    }

    /// Writes the work tree, with a package whose `V` is `value`.
    func write(value: String, comment: String = "# a comment") throws {
        var files = shape.files
        files[shape.file] = shape.text.replacing("WORK", with: work) + comment + "\n"
        if let source = shape.source {
            files["\(source)/pyproject.toml"] =
                "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n"
            files["\(source)/backend.py"] = Self.backend
            files["\(source)/shape.py"] = "V = '\(value)'\n"
        }
        for (path, text) in files {
            try File.makeFolders("\(work)/\(path)".parentFolder)
            let data = try #require(text.data(using: shape.encoding))
            try File.write(Array(data), over: "\(work)/\(path)")
        }
        if let wheel = shape.wheel { try Self.wheel("\(work)/\(wheel)", name: "shape", value: value) }
    }

    /// One more package in a folder that the image's interpreter searches.
    func changeImage() throws {
        try File.makeFolders("\(root)/image/other-1.0.dist-info")
        hasMore = true
    }

    func move() throws {
        try File.move(volume.root, to: "\(root)/elsewhere")
        place = "elsewhere"
    }

    private var variables: [String: String] {
        var variables = ProcessEnvironment.all.filter { !$0.key.hasPrefix("PIP_") && !$0.key.hasPrefix("PYTHON") }
        variables["PYTHONDONTWRITEBYTECODE"] = "1"
        if hasMore { variables["PYTHONPATH"] = "\(root)/image" }
        return variables.merging(shape.env) { $1 }
    }

    func install() async throws -> PythonEnvironment {
        let runner = SpawningRunner(output: "\(root)/output")
        let installer = Installer(
            dependencies: Dependencies(requirements: [shape.file]), volume: volume, run: run, variables: variables,
            config: shape.env, secrets: [], jobs: runner)
        do {
            return try await installer.install { _ in }
        } catch {
            Issue.record("\(((try? File.read(runner.output)) ?? []).text)")
            throw error
        }
    }

    func value(_ python: PythonEnvironment) async throws -> String {
        try await output(["python", "-c", "import shape; print(shape.V)"], python)
    }

    /// Runs a command as the training would, and returns what it prints.
    func output(_ command: [String], _ python: PythonEnvironment) async throws -> String {
        let variables = variables.merging(python.variables(over: variables)) { $1 }
        let (status, output) = try await SpawningRunner(output: "\(root)/output").capture(
            command, environment: variables, folder: work)
        guard status == .code(0) else { throw Problem("\(command) ended with \(status): \(output.text)") }
        return output.text.trimmed
    }

    /// Writes a wheel with one module of the same name.
    static func wheel(_ folder: String, name: String, value: String) throws {
        try File.makeFolders(folder)
        let info = "\(name)-1.0.dist-info"
        let files = [
            "\(name).py": "V = '\(value)'\n",
            "\(info)/METADATA": "Metadata-Version: 2.1\nName: \(name)\nVersion: 1.0\n",
            "\(info)/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "\(info)/RECORD": "",
        ]
        let zip = StoredZip(files.sorted { $0.key < $1.key }.map { ($0.key, Array($0.value.utf8)) })
        try File.write(zip.bytes, over: "\(folder)/\(name)-1.0-py3-none-any.whl")
    }

    /// A build backend without dependencies. With the file `copies` it copies editable packages too.
    private static let backend = """
        import os, zipfile
        def make(folder, files):
            name = "shape-1.0-py3-none-any.whl"
            info = "shape-1.0.dist-info"
            files[f"{info}/METADATA"] = "Metadata-Version: 2.1\\nName: shape\\nVersion: 1.0\\n"
            files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
            files[f"{info}/RECORD"] = ""
            with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
                for path, text in files.items(): archive.writestr(path, text)
            return name
        def build_wheel(folder, config_settings=None, metadata_directory=None):
            return make(folder, {"shape.py": open("shape.py").read()})
        def build_editable(folder, config_settings=None, metadata_directory=None):
            if os.path.exists("copies"): return build_wheel(folder)
            return make(folder, {"shape.pth": os.getcwd() + "\\n"})

        """
}

/// A zip archive whose members are not compressed.
struct StoredZip {
    private(set) var bytes: [UInt8] = []

    init(_ files: [(name: String, content: [UInt8])]) {
        var directory: [UInt8] = []
        for (name, content) in files {
            let sum = Self.checksum(content)
            let common =
                Self.little(20, 2) + Self.little(0, 8) + Self.little(sum, 4) + Self.little(content.count, 4)
                + Self.little(content.count, 4) + Self.little(name.utf8.count, 2) + Self.little(0, 2)
            directory +=
                Self.little(0x0201_4b50, 4) + Self.little(20, 2) + common + Self.little(0, 10)
                + Self.little(bytes.count, 4) + Array(name.utf8)
            bytes += Self.little(0x0403_4b50, 4) + common + Array(name.utf8) + content
        }
        let start = bytes.count
        bytes +=
            directory + Self.little(0x0605_4b50, 4) + Self.little(0, 4) + Self.little(files.count, 2)
            + Self.little(files.count, 2) + Self.little(directory.count, 4) + Self.little(start, 4) + Self.little(0, 2)
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> ($0 * 8)) : 0 }
    }

    /// CRC-32 as in zip and gzip.
    private static func checksum(_ bytes: [UInt8]) -> Int {
        var sum: UInt32 = 0xffff_ffff
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
        }
        return Int(~sum)
    }
}
