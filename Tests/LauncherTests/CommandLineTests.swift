import ArgumentParser
import Shared
import Testing

@testable import Launcher

/// Command lines that `launch` accepts, and those it refuses.
@Suite struct CommandLineTests {
    @Test(
        "launch run reads its config path and flags",
        arguments: [
            ([], "config.yaml", [false, false, false]),
            (["a.yaml"], "a.yaml", [false, false, false]),
            (["--force-restart"], "config.yaml", [true, false, false]),
            (["--detach", "a.yaml"], "a.yaml", [false, true, false]),
            (["a.yaml", "--dry-run"], "a.yaml", [false, false, true]),
            (["--", "--dry-run"], "--dry-run", [false, false, false]),
        ])
    func run(arguments: [String], config: String, flags: [Bool]) throws {
        let command = try #require(try Launcher.parseAsRoot(["run"] + arguments) as? Run)
        #expect(command.config == config)
        #expect([command.forceRestart, command.detach, command.dryRun] == flags)
    }

    @Test("every command of launch reads its run, flags and options")
    func commands() throws {
        #expect(try (Launcher.parseAsRoot(["attach"]) as? Attach)?.run == .some(nil))
        #expect(try (Launcher.parseAsRoot(["attach", "demo"]) as? Attach)?.run == "demo")
        #expect(try (Launcher.parseAsRoot(["attach", "--from-start"]) as? Attach)?.fromStart == true)
        let logs = try #require(try Launcher.parseAsRoot(["logs", "demo", "-f", "-o", "file"]) as? Logs)
        #expect(logs.run == "demo" && logs.follow && logs.output == "file" && logs.tail == nil)
        #expect(try (Launcher.parseAsRoot(["logs", "--tail", "3"]) as? Logs)?.tail == 3)
        let status = try #require(try Launcher.parseAsRoot(["status", "demo", "--json"]) as? Status)
        #expect(status.run == "demo" && status.json)
        let stop = try #require(try Launcher.parseAsRoot(["stop", "--now"]) as? Stop)
        #expect(stop.run == nil && stop.now)
        let checkpoints = try #require(try Launcher.parseAsRoot(["checkpoints", "demo", "--sums"]) as? Checkpoints)
        #expect(checkpoints.run == "demo" && checkpoints.sums && !checkpoints.json)
        #expect(try (Launcher.parseAsRoot(["stop", "demo", "--grace", "1h"]) as? Stop)?.grace == "1h")
        #expect(try (Launcher.parseAsRoot(["ls"]) as? List)?.json == false)
        #expect(try (Launcher.parseAsRoot(["ls", "--json"]) as? List)?.json == true)
    }

    @Test(
        "a wrong command line exits with 64 and names the mistake",
        arguments: [
            (["frobnicate"], "frobnicate"), (["run", "a", "b"], "b"), (["run", "--force"], "--force"),
            (["status", "--jsno"], "--jsno"), (["ls", "demo"], "demo"),
            (["stop", "--grace", "1"], "\"1\" is not a duration"),
            (["stop", "--grace", "0s"], "0.0 s makes no sense"), (["stop", "--grace", "25h"], "makes no sense"),
            (["stop", "--grace", "2m", "--now"], "no grace"),
            (["--json"], "--json"), (["logs", "--tail", "x"], "--tail"), (["logs", "--tail=-1"], "-1"),
            (["logs", "--tail", "1", "-o", "f"], "excludes"), (["logs", "--since", "1h", "-o", "f"], "excludes"),
            (["checkpoints", "--json", "--sums"], "--sums"),
            (["logs", "--since", "10"], "\"10\""), (["logs", "--since", "x"], "\"x\""),
        ])
    func wrongUsage(arguments: [String], named: String) throws {
        let error = try #require(throws: (any Error).self) { try Launcher.parseAsRoot(arguments) }
        #expect(Launcher.exitCode(for: error).rawValue == Exit.usage.rawValue)
        #expect(Launcher.fullMessage(for: error).contains(named))
    }

    @Test(
        "asking for help or the version exits with 0",
        arguments: [["--help"], ["-h"], ["help", "run"], ["run", "--help"], ["--version"]])
    func requestedHelp(arguments: [String]) throws {
        // "help" is a command, but the parser throws for the flags.
        do {
            var command = try Launcher.parseAsRoot(arguments)
            try command.run()
            Issue.record("nothing was shown")
        } catch {
            #expect(Launcher.exitCode(for: error) == .success)
        }
    }

    @Test("launch --version prints the version")
    func version() throws {
        let error = try #require(throws: (any Error).self) { try Launcher.parseAsRoot(["--version"]) }
        #expect(Launcher.fullMessage(for: error) == "0.1.0")
    }

    @Test("launch --help lists the commands and the exit codes")
    func help() {
        #expect(
            Launcher.helpMessage(columns: 120) == """
                OVERVIEW: Train on a pod as if it were a local command.

                EXIT CODES: that of the training (128 + n for a signal n), or
                  64   wrong usage
                  69   no provider or agent in reach
                  70   outcome unknown: the pod left no record of its end, or cannot be seen from here
                  73   setup failed: code, dependencies or the start of the command
                  74   standard output or a file could not be written
                  75   no pod for this config is free
                  77   the agent or the provider refuses the key
                  78   wrong config
                  130  stopped by the user
                  143  interrupted

                USAGE: launch <subcommand>

                OPTIONS:
                  --version               Show the version.
                  -h, --help              Show help information.

                SUBCOMMANDS:
                  run                     Train as a config says, and follow the training.
                  attach                  Follow a run that is training.
                  logs                    Print a run's log with all its attempts.
                  status                  Show the state of a run.
                  checkpoints             List a run's checkpoints.
                  stop                    Stop a run and keep its results.
                  recover                 Start every run again whose pod was taken away.
                  ls                      List the runs.

                  See 'launch help <subcommand>' for detailed help.
                """)
    }
}
