import Shared
import TestSupport
import Testing

/// A failure before the training has its own class, `setup-failed`.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SetupFailureTests {
    @Test("the run ends as setup-failed with pip's error if a requirement does not exist")
    func missingRequirement() async throws {
        try await Site.with { site in
            try site.write("project/requirements.txt", "--no-index\nno-such-package-anywhere==1.0\n")
            try site.config(
                "run: setup\ncode: {path: .}\ndependencies: {requirements: [requirements.txt]}\ncommand: echo trains\n")
            let run = try site.launch("run")
            #expect(try await run.end() == 73)
            // The words are pip's.
            #expect(run.text.contains("No matching distribution found for no-such-package-anywhere==1.0"))
            #expect(run.text.contains("SETUP-FAILED: "))
            #expect(run.text.hasSuffix("\nEXIT_CODE=73\n"))
            #expect(!run.text.contains("trains\n"))
            #expect(run.errors.contains("== setup: setup-failed: "))
            #expect(try await site.status("setup").state == "setup-failed")
            // No link leads to the half-made environment, so no later start uses it.
            #expect(
                try File.list(site.volume.environments).allSatisfy {
                    File.status("\(site.volume.environments)/\($0)")?.isLink == false
                })
        }
    }

    @Test(
        "a requirement file that is missing at home, or stays there, is refused with its place before a pod starts",
        arguments: [
            ("nowhere.txt", "config.yaml:3:16: there is no \"nowhere.txt\""),
            ("r.txt", "r.txt:2: there is no \"more/nowhere.txt\" in the code"),
            ("ignored.txt", "config.yaml:3:16: \"ignored.txt\" is not packed"),
        ])
    func missingAtHome(file: String, words: String) async throws {
        try await Site.with { site in
            try site.write("project/r.txt", "torch\n-r more/nowhere.txt\n")
            try site.write("project/ignored.txt", "torch\n")
            try site.write("project/.launchignore", "ignored.txt\n")
            try site.config("run: home\ncode: {path: .}\ndependencies: {requirements: [\(file)]}\ncommand: x\n")
            let run = try site.launch("run")
            #expect(try await run.end() == 78)
            #expect(run.errors.contains(words))
            #expect(try !File.exists(site.volume.run(try #require(RunID("home"))).path))
        }
    }

    @Test(
        "the log names the file, folder or program that is missing",
        arguments: [
            (
                "dependencies: {requirements: [r.txt], python: no-python}\ncommand: x", 73,
                "there is no \"no-python\" here"
            ),
            ("command: [no-such-program, x]", 73, "there is no \"no-such-program\" here"),
            ("command: [./config.yaml]", 73, "could not run \"./config.yaml\""),
            ("command: echo hello\nworkdir: nowhere", 73, "nowhere"),
            ("command: no-such-program x", 127, "no-such-program: command not found"),
        ])
    func missing(config: String, code: Int, words: String) async throws {
        try await Site.with { site in
            try site.write("project/r.txt", "nothing==1.0\n")
            try site.config("run: missing\ncode: {path: .}\n\(config)\n")
            let run = try site.launch("run")
            #expect(try await run.end() == code)
            #expect(run.text.contains(words))
            #expect(run.text.hasSuffix("\nEXIT_CODE=\(code)\n"))
            #expect(code != 73 || run.errors.contains("== missing: setup-failed: "))
        }
    }

    @Test(
        "launch stop ends a run within 5 s while it installs, and launch run can start it again",
        arguments: [["stop"], ["stop", "--now"]])
    func stopWhileInstalling(stop: [String]) async throws {
        try await Site.with { site in
            try SlowPackage.write(to: site)
            try site.write("project/requirements.txt", SlowPackage.requirement)
            try site.config(
                """
                run: slow
                code: {path: .}
                dependencies: {requirements: [requirements.txt]}
                command: echo trains
                """)
            let run = try site.launch("run")
            try await SlowPackage.begins(on: site)
            try await site.reaches("installing", "slow")
            let pod = try await site.pod(of: "slow")
            let start = ContinuousClock.now
            try await site.start([Programs.launch] + stop).check()
            #expect(try await run.end() == 130)
            #expect(start.duration(to: .now) < .seconds(5))
            #expect(!run.text.contains("trains\n"))
            #expect(try await site.status("slow").state == "stopped")
            try await site.isGone(pod)
            #expect(site.processes.isEmpty)

            // The run can be started again.
            try site.open("go-build")
            try await site.launch("run").check()
        }
    }
}
