import Foundation
import Shared
import Testing

@testable import Launcher

/// `Config.load` on real files.
@Suite struct ConfigFileTests {
    private static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = "/tmp/config-\(UInt64.random(in: 0 ... .max))"
        try File.makeFolders(folder)
        defer { try? File.removeTree(folder) }
        return try body(folder)
    }

    private static func write(_ text: String, to path: String) throws { try File.replace(path, with: Array(text.utf8)) }

    private static func error(loading path: String) -> String? {
        do throws(ConfigError) {
            _ = try Config.load(path: path, environment: [:])
            return nil
        } catch {
            return error.description
        }
    }

    @Test("a config's variables come from the environment, then .env, then .runpod.env")
    func variableFiles() throws {
        try Self.withFolder { folder in
            try Self.write("run: ${A}-${B}-${C}\ncommand: x\ncode: {path: .}\n", to: "\(folder)/config.yaml")
            try Self.write("A=x\nB=b\nMY_TOKEN=secret-value\n", to: "\(folder)/.env")
            try Self.write("B=x\nC='c'\nRUNPOD_API_KEY=other-value\n", to: "\(folder)/.runpod.env")
            let config = try Config.load(
                path: "\(folder)/config.yaml", environment: ["A": "a", "X_SECRET": "third-value"])
            #expect(config.run.text == "a-b-c")
            #expect(config.folder == folder)
            #expect(config.code == .path(folder))
            #expect(Set(config.knownSecrets.map(\.value)) == ["secret-value", "other-value"])
        }
    }

    @Test("a value in .env that cannot be read is an error only if the config needs it")
    func brokenVariableFile() throws {
        try Self.withFolder { folder in
            let path = "\(folder)/config.yaml"
            try Self.write("A=1\n\nB='hf_secret\nset -a\n", to: "\(folder)/.env")
            try Self.write("run: a\ncommand: x ${B}\n", to: path)
            let problem = "\(folder)/.env:3: the value of \"B\" cannot be read: its quotes do not end"
            let config = try Config.load(path: path, environment: [:])
            #expect(
                config.warnings.map(\.description)
                    == [problem, "\(folder)/.env:4: this line assigns no variable; it is skipped"])
            for needs in ["secrets: [B]", "env: {X: \"${B}\"}"] {
                try Self.write("run: a\ncommand: x\n\(needs)\n", to: path)
                #expect(Self.error(loading: path) == problem)
            }
        }
    }

    @Test("a variable may be in the .env of the code's folder or of the repository, and an error names the places")
    func otherVariableFiles() throws {
        try Self.withFolder { folder in
            let path = "\(folder)/a/b/config.yaml"
            try File.makeFolders("\(folder)/a/b")
            try File.makeFolders("\(folder)/.git")
            try Self.write("run: a\ncommand: x\ncode: {path: ..}\nsecrets: [TOP, CODE]\n", to: path)
            try Self.write("TOP=top-secret-1\nCODE=other\n", to: "\(folder)/.env")
            try Self.write("CODE=code-secret-1\n", to: "\(folder)/a/.env")
            let config = try Config.load(path: path, environment: [:])
            #expect(config.secrets == ["TOP": .value("top-secret-1"), "CODE": .value("code-secret-1")])
            try File.remove("\(folder)/.env")
            #expect(
                Self.error(loading: path)
                    == "\(path):4:11: the secret \"TOP\" is not set\nhint: set it in the environment or in "
                    + "\(folder)/a/b/.env or \(folder)/a/.env or \(folder)/.env")
        }
    }

    @Test("a folder named .env is not read as a variable file")
    func folderNamedDotEnv() throws {
        try Self.withFolder { folder in
            try Self.write("run: a\ncommand: x\n", to: "\(folder)/config.yaml")
            try File.makeFolders("\(folder)/.env/bin")
            #expect(Self.error(loading: "\(folder)/config.yaml") == nil)
        }
    }

    @Test("a config that is missing, empty or not a regular file is refused with the reason")
    func notAFile() throws {
        try Self.withFolder { folder in
            #expect(Self.error(loading: "\(folder)/none.yaml") == "\(folder)/none.yaml: no such file")
            #expect(Self.error(loading: "\(folder)/no/none.yaml") == "\(folder)/no/none.yaml: no such file")
            #expect(Self.error(loading: folder) == "\(folder): is a folder\nhint: name the file in it")
            #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
            #expect(Self.error(loading: "\(folder)/pipe") == "\(folder)/pipe: is not a regular file")
            #expect(Self.error(loading: "/dev/zero") == "/dev/zero: is not a regular file")
            try Self.write("", to: "\(folder)/empty.yaml")
            #expect(
                Self.error(loading: "\(folder)/empty.yaml")?.hasPrefix("\(folder)/empty.yaml:1:1: the config is empty")
                    == true)
        }
    }

    @Test("a config that the user may not read is refused")
    func unreadable() throws {
        try Self.withFolder { folder in
            let path = "\(folder)/config.yaml"
            try File.replace(path, with: [], mode: 0o000)
            // Root may read every file and finds this one empty.
            let expected =
                geteuid() == 0 ? "\(path):1:1: the config is empty" : "\(path): could not be read: Permission denied"
            #expect(Self.error(loading: path)?.hasPrefix(expected) == true)
        }
    }

    @Test("a config above 1 MB is refused within half a second")
    func largeFile() throws {
        try Self.withFolder { folder in
            let path = "\(folder)/config.yaml"
            try File.replace(path, with: [UInt8](repeating: 0x61, count: 10 << 20))
            let time = ContinuousClock().measure {
                #expect(Self.error(loading: path) == "\(path): is larger than 1 MB\nhint: is it the right file?")
            }
            #expect(time < .milliseconds(500))
        }
    }
}
