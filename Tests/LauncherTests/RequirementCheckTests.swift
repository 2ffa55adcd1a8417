import Shared
import TestSupport
import Testing

@testable import Launcher

@Suite struct RequirementCheckTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("project") }

    private func check(_ dependencies: String, files: [String: String]) throws -> RequirementCheck {
        for (path, text) in files {
            try File.makeFolders("\(folder.path)/\(path)".parentFolder)
            try File.write(Array(text.utf8), over: "\(folder.path)/\(path)")
        }
        let yaml = "run: a\ncommand: x\ncode: {path: .}\n\(dependencies)\n"
        try File.write(Array(yaml.utf8), over: "\(folder.path)/c.yaml")
        return RequirementCheck(config: try Config.load(path: "\(folder.path)/c.yaml", environment: ["HOME": "/h"]))
    }

    @Test(
        "files for pip to fetch, files of the pod and variables of the pod are not looked for at home",
        arguments: [
            "-r https://example.com/r.txt", "-c /workspace/c.txt", "-r ${FOLDER}/r.txt", "# -r nowhere.txt",
            "torch --hash=-rnowhere.txt",
        ])
    func leftToPip(_ line: String) throws {
        try check("dependencies: {requirements: [r.txt]}", files: ["r.txt": line]).checkFiles()
    }

    @Test("a missing file is an error at the place that names it")
    func missing() throws {
        let error = #expect(throws: ConfigError.self) {
            try check("dependencies: {requirements: [a/r.txt]}", files: ["a/r.txt": "torch\n\n-c b.txt"]).checkFiles()
        }
        #expect(error?.file.hasSuffix("/a/r.txt") == true && error?.place == Place(line: 3, column: nil))
        let top = #expect(throws: ConfigError.self) {
            try check("dependencies: {requirements: [none.txt]}", files: [:]).checkFiles()
        }
        #expect(top?.key == "dependencies.requirements" && top?.place?.line == 4)
    }

    @Test("a missing file among the overrides is an error, and names of packages are none")
    func overrides() throws {
        let right = "dependencies: {overrides: [x==1, ./w.whl, /pod/x.whl, \"x @ https://h/x.whl\"]}"
        try check(right, files: ["w.whl": ""]).checkFiles()
        let error = #expect(throws: ConfigError.self) {
            try check(right.replacing("./w.whl", with: "./v.whl"), files: [:]).checkFiles()
        }
        #expect(error?.message == "there is no \"./v.whl\"" && error?.key == "dependencies.overrides")
    }

    @Test("a file that stays at home is an error, also one that is included")
    func notPacked() throws {
        let check = try check(
            "dependencies: {requirements: [r.txt]}", files: ["r.txt": "-r a/../b/c.txt", "b/c.txt": "", "a/x": ""])
        try check.checkPacked(["r.txt", "b/c.txt"])
        #expect(throws: ConfigError.self) { try check.checkPacked(["r.txt"]) }
    }

    @Test(
        "a project's own list of dependencies gets one line if the config names none",
        arguments: ["requirements.txt", "pyproject.toml", "uv.lock", "environment.yml"])
    func advice(_ file: String) throws {
        #expect(try check("", files: [:]).advice == nil)
        #expect(try check("", files: [file: ""]).advice?.hasPrefix("nothing from \"\(file)\" is installed") == true)
        let named = "dependencies: {requirements: [\(file)]}"
        #expect(try check(named, files: [file: ""]).advice == nil)
    }
}
