import Shared
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct BrokenConfigTests {
    struct Broken: Sendable, CustomTestStringConvertible {
        var name: String
        var config: [UInt8]
        /// The beginning of the error, after `launch: `.
        var error: String
        var testDescription: String { name }

        init(_ name: String, _ config: some Sequence<UInt8>, _ error: String) {
            self.name = name
            self.config = Array(config)
            self.error = error
        }

        init(_ name: String, _ config: String, _ error: String) { self.init(name, config.utf8, error) }
    }

    private static let bomb =
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + zip("abcdefghijk", "bcdefghijkl").map { inner, name in
            "\(name): &\(name) [\([String](repeating: "*\(inner)", count: 9).joined(separator: ", "))]\n"
        }.joined()

    private static let cases: [Broken] = [
        Broken(
            "unknown key", "run: a\ncomand: x\n",
            "config.yaml:2:1: unknown key \"comand\"\nhint: did you mean \"command\"?"),
        Broken(
            "unknown inner key", "run: a\ncommand: x\ncode:\n  pat: .\n",
            "config.yaml:4:3: unknown key \"pat\" in \"code\"\nhint: did you mean \"path\"?"),
        Broken("wrong type", "run: a\ncommand: {a: b}\n", "config.yaml:2:10: \"command\" must be"),
        Broken("wrong name", "run: My Run\ncommand: x\n", "config.yaml:1:6: \"run\" must be"),
        Broken("missing command", "run: a\n", "config.yaml: \"command\" is missing"),
        Broken(
            "two code sources", "run: a\ncommand: x\ncode: {path: ., git: x}\n", "config.yaml:3:17: two code sources"),
        Broken(
            "bad duration", "run: a\ncommand: x\nlimits: {setup: soon}\n",
            "config.yaml:3:17: \"limits.setup\" must be a duration"),
        Broken(
            "unset variable", "run: a\ncommand: x\nenv: {A: \"${NOT_SET_HERE}\"}\n",
            "config.yaml:3:10: \"env.A\" uses \"${NOT_SET_HERE}\""),
        Broken("tab", "run: a\ncommand: x\ncode:\n\tpath: .\n", "config.yaml:4:1: a tab in the indentation"),
        Broken("empty", "", "config.yaml:1:1: the config is empty"),
        Broken("not YAML", "run: a\ncommand: [\n", "config.yaml:3:1: not valid YAML"),
        Broken("a list", "- a\n- b\n", "config.yaml:1:1: "),
        Broken("large", [UInt8](repeating: 0x61, count: 10 << 20), "config.yaml: is larger than 1 MB"),
        Broken("anchor bomb", bomb, "config.yaml:1:4: anchors and aliases"),
        Broken("not UTF-8", Array("run: a\n# ".utf8) + [0xff], "config.yaml:2:3: not UTF-8"),
        Broken("not text", "run: a\0b\n", "config.yaml:1:7: "),
        Broken("key of a later version", "run: a\ncommand: x\nprovider: runpod\n", "config.yaml:3:1: "),
    ]

    @Test(
        "launch refuses a broken config within 1 s with one error that names the place, and creates nothing",
        arguments: cases)
    func refusal(broken: Broken) async throws {
        try await Site.with { site in
            try File.write(broken.config, over: "\(site.project)/config.yaml")
            // The measured start does not read the program from a cold disk.
            try await site.launch("--version").check()
            let start = ContinuousClock.now
            let run = try site.launch("run")
            #expect(try await run.end() == 78)
            #expect(start.duration(to: .now) < .seconds(1))
            #expect(run.output == [])
            #expect(run.errors.hasPrefix("launch: " + broken.error))
            let lines = run.errors.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 3 && lines.last == "", "\(run.errors)")
            #expect(lines.count < 3 || lines[1].hasPrefix("hint: "), "\(run.errors)")
            #expect(!site.exists("home"))
            #expect(try File.list(site.project) == ["config.yaml"])
        }
    }

    @Test("launch names the config file that does not exist, and creates nothing")
    func missingFile() async throws {
        try await Site.with { site in
            let run = try site.launch("run", "nowhere.yaml")
            #expect(try await run.end() == 78)
            #expect(run.errors == "launch: nowhere.yaml: no such file\n")
            #expect(!site.exists("home"))
        }
    }

    @Test(
        "launch exits with 64 and an error if its arguments are wrong, and creates nothing",
        arguments: [["run", "--nope"], ["run", "a", "b"], ["nope"], ["status", "nope"], ["attach"]])
    func wrongUsage(arguments: [String]) async throws {
        try await Site.with { site in
            let launch = try site.start([Programs.launch] + arguments)
            #expect(try await launch.end() == 64)
            #expect(launch.output == [])
            #expect(!launch.errors.isEmpty)
            #expect(!site.exists("home"))
        }
    }

    @Test("launch run --dry-run prints the spec and the provider's request, and creates nothing")
    func dryRun() async throws {
        try await Site.with { site in
            try site.config("run: dry\ncode: {path: .}\ncommand: touch \"$SITE/touched\"\n")
            let run = try site.launch("run", "--dry-run")
            try await run.check()
            #expect(run.text.contains("\"run\" : \"dry\""))
            #expect(run.text.contains("request to provider \"local\":"))
            #expect(!site.exists("home"))
            #expect(!site.exists("touched"))
            #expect(try File.list(site.project) == ["config.yaml"])
        }
    }
}
