import Shared
import TestSupport
import Testing

/// The user types `launch run` again, at different times of a run.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RepeatedRunTests {
    @Test("launch run starts nothing if the run has finished, unless --force-restart is given")
    func finished() async throws {
        try await Site.with { site in
            try site.config("run: done\ncommand: echo once >> \"$SITE/trainings\"\n")
            try await site.launch("run").check()
            let before = try await site.status("done")
            let again = try site.launch("run")
            try await again.check()
            #expect(again.output == [])
            #expect(again.errors.contains(#""done" has finished with this config and this code; nothing was started"#))
            #expect(again.errors.contains("--force-restart"))
            let after = try await site.status("done")
            #expect(after.attempts == before.attempts)
            #expect(after.pod?.id == before.pod?.id)
            #expect(try File.read("\(site.root)/trainings").text == "once\n")

            try await site.launch("run", "--force-restart").check()
            #expect(try File.read("\(site.root)/trainings").text == "once\nonce\n")
        }
    }

    /// The user may have repaired something outside the code.
    @Test("launch run starts a failed run again although config and code are the same")
    func failed() async throws {
        try await Site.with { site in
            try site.config("run: failed\nretry: {crash: 0}\ncommand: test -e \"$SITE/mended\"\n")
            #expect(try await site.launch("run").end() == 1)
            try site.open("mended")
            try await site.launch("run").check()
            #expect(try await site.status("failed").attempts.count == 2)
        }
    }

    @Test("launch run attaches to a training run, and refuses another config or --force-restart for it")
    func training() async throws {
        try await Site.with { site in
            let config = "run: busy\ncommand: echo started; until [ -e \"$SITE/go\" ]; do sleep 0.02; done\n"
            try site.config(config)
            let first = try site.launch("run")
            try await first.prints("started\n")
            try await site.reaches("training", "busy")
            let second = try site.launch("run")
            try await second.prints("started\n")
            #expect(second.errors.contains(#""busy" is training already; attached"#))

            try site.config(config.replacing("started", with: "begun"))
            let other = try site.launch("run")
            #expect(try await other.end() == 78)
            #expect(other.output == [])
            #expect(other.errors.hasPrefix("launch: \"busy\" is training with another config:\n  command: "))
            #expect(other.errors.contains("echo started") && other.errors.contains("→ \"echo begun"))
            #expect(other.errors.contains("hint: attach with: launch attach busy"))

            try site.config(config)
            let forced = try site.launch("run", "--force-restart")
            #expect(try await forced.end() == 78)
            #expect(forced.errors.contains("it cannot be restarted"))

            try site.open("go")
            try await first.check()
            try await second.check()
            #expect(first.output == second.output)
            #expect(try await site.status("busy").attempts.count == 1)
        }
    }

    @Test("five launch run commands at the same moment start one pod and one training")
    func simultaneous() async throws {
        try await Site.with { site in
            try site.config(
                """
                run: many
                command: echo x >> "$SITE/trainings"; until [ -e "$SITE/go" ]; do sleep 0.02; done
                """)
            let launches = try (0..<5).map { _ in try site.launch("run", "--detach") }
            var codes: Set<Int32> = []
            for launch in launches { codes.insert(try await launch.end()) }
            #expect(codes == [0] || codes == [0, 69])
            #expect(try File.list("\(site.home)/pods").count == 1)
            try await site.reaches("training", "many")
            try site.open("go")
            try await site.reaches("finished", "many")
            #expect(try File.read("\(site.root)/trainings").text == "x\n")
        }
    }

    @Test("launch run refuses a run name that belongs to another project")
    func otherProject() async throws {
        try await Site.with { site in
            let config = "run: mine\ncommand: echo hello\n"
            try site.config(config)
            try await site.launch("run").check()
            try site.write("elsewhere/config.yaml", config)
            let other = try site.launch("run", "../elsewhere/config.yaml")
            #expect(try await other.end() == 78)
            #expect(other.errors.hasPrefix("launch: run \"mine\" belongs to another project\nhint: "))
            #expect(try await site.status("mine").attempts.count == 1)
        }
    }

    @Test("launch run replaces changed code and keeps the files that the training made")
    func changedCode() async throws {
        try await Site.with { site in
            try site.write("project/words.txt", "one\n")
            try site.write("project/old.txt", "")
            try site.config("run: code\ncode: {path: .}\ncommand: cat words.txt >> made.txt; ls; cat made.txt\n")
            try await site.launch("run").check()
            try site.write("project/words.txt", "two\n")
            try File.remove("\(site.project)/old.txt")
            let second = try site.launch("run")
            try await second.check()
            #expect(
                second.text.hasSuffix(
                    "STARTING FRESH\nconfig.yaml\nmade.txt\nwords.txt\none\ntwo\nEXIT_CODE=0\n"))
            #expect(try await site.status("code").attempts.count == 2)
        }
    }

    @Test("the run is on the volume that its config names, and launch run refuses another volume while it runs")
    func ownVolume() async throws {
        try await Site.with { site in
            let config = "run: placed\ncommand: until [ -e \"$SITE/go\" ]; do sleep 0.02; done\n"
            try site.config(config + "resources: {volume: {path: ../elsewhere}}\n")
            try await site.launch("run", "--detach").check()
            #expect(site.exists("elsewhere/runs/placed/run.json"))
            try site.config(config)
            let other = try site.launch("run")
            #expect(try await other.end() == 78)
            #expect(other.errors.hasPrefix("launch: \"placed\" is running on another volume, "))
            try site.open("go")
            try await site.launch("attach", "placed").check()
            let list = try site.launch("ls")
            try await list.check()
            #expect(list.text.hasSuffix("/elsewhere\n"))
        }
    }
}
