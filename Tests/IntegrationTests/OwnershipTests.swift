import Shared
import TestSupport
import Testing

/// The user changes the code between two attempts of a run that has results.
@Suite(.serialized, .timeLimit(.minutes(2))) struct OwnershipTests {
    @Test("a result of the training makes room for the laptop's file, is kept, and is reported")
    func result() async throws {
        try await Site.with { site in
            try site.config(
                """
                run: own
                code: {path: .}
                command: mkdir -p out; [ -f out/r.csv ] || echo new > out/r.csv; echo changed >> train.py; cat out/r.csv
                """)
            try site.write("project/train.py", "v1\n")
            try await site.launch("run").check()
            let run = "\(site.home)/volume/runs/own"

            try site.write("project/out/r.csv", "old\n")
            let second = try site.launch("run")
            try await second.check()
            #expect(try File.read("\(run)/work/out/r.csv").text == "old\n")
            #expect(try File.read("\(run)/replaced/0002/out/r.csv").text == "new\n")
            #expect(
                second.text.contains(
                    "\nREPLACED: out/r.csv: the code has another file; the result of the training moved to "
                        + "\(run)/replaced/0002/out/r.csv\n"))
            #expect(second.text.contains("\nKEPT: train.py: a result of the training;"))
            #expect(try File.read("\(run)/work/train.py").text == "v1\nchanged\nchanged\n")
        }
    }

    @Test("a database in the code keeps the rows of a killed training, until the laptop brings another one")
    func database() async throws {
        try await Site.with { site in
            try site.config(
                """
                run: own
                code: {path: .}
                command: python3 train.py
                retry: {crash: 0}
                """)
            // As optuna and mlflow write: the rows are in the journal when the process dies.
            try site.write(
                "project/train.py",
                """
                import os, sqlite3
                study = sqlite3.connect("study.db")
                study.execute("PRAGMA journal_mode=WAL")
                study.execute("CREATE TABLE IF NOT EXISTS trials (value)")
                study.execute("INSERT INTO trials VALUES (1)")
                study.commit()
                print("check", study.execute("PRAGMA integrity_check").fetchone()[0])
                print("trials", study.execute("SELECT count(*) FROM trials").fetchone()[0], flush=True)
                os.kill(os.getpid(), 9)
                """)
            let make = [
                "python3", "-c",
                "import sqlite3, sys; s = sqlite3.connect('study.db'); s.execute(sys.argv[1]); s.commit()",
            ]
            let project = "\(site.root)/project"
            try #require(try Command.run(make + ["CREATE TABLE trials (value)"], in: project).code == 0)
            for count in 1...3 {
                try site.write("project/other.py", "\(count)\n")
                let run = try site.launch("run")
                #expect(try await run.end() == 137)
                #expect(run.text.contains("\ncheck ok\ntrials \(count)\n"))
            }
            try #require(try Command.run(make + ["CREATE TABLE notes (text)"], in: project).code == 0)
            let run = try site.launch("run")
            #expect(try await run.end() == 137)
            #expect(run.text.contains("\ncheck ok\ntrials 1\n"))
            #expect(run.text.contains("\nREPLACED: study.db-wal: "))
        }
    }

    @Test("checkpoints of the laptop are neither packed nor resumed from, and those of the run stay")
    func checkpoints() async throws {
        try await Site.with { site in
            try site.config(
                """
                run: own
                code: {path: .}
                command: |
                  echo "args {resume}"; cat out/checkpoint-9/state.json || echo none
                  mkdir -p out/checkpoint-10; echo '{"by": "pod"}' > out/checkpoint-10/state.json
                resume: --resume {checkpoint}
                checkpoints: {path: out}
                """)
            try site.write("project/out/checkpoint-9/state.json", #"{"by": "laptop"}"#)
            try site.write("project/train.py", "v1\n")
            let first = try site.launch("run")
            try await first.check()
            #expect(first.text.contains("\nSTARTING FRESH\n") && first.text.contains("\nnone\n"))
            #expect(!first.text.contains("args --resume"))
            #expect(first.errors.contains("left out of the code: out/ (the run's checkpoints)"))

            try site.write("project/out/checkpoint-10/state.json", #"{"by": "laptop"}"#)
            try site.write("project/train.py", "v2\n")
            let second = try site.launch("run")
            try await second.check()
            let checkpoint = "\(site.home)/volume/runs/own/work/out/checkpoint-10"
            #expect(second.text.contains("\nargs --resume \(checkpoint)"))
            #expect(try File.read("\(checkpoint)/state.json").text == "{\"by\": \"pod\"}\n")
        }
    }

    @Test("neither the volume nor the output of launch is packed")
    func programFiles() async throws {
        try await Site.with { site in
            try site.config(
                """
                run: own
                code: {path: .}
                command: ls -a
                resources: {volume: {path: data/volume}}
                """)
            for _ in 1...2 {
                let launch = try site.start(["sh", "-c", "\(Programs.launch) run --force-restart >out.log"])
                try await launch.check()
            }
            let work = "\(site.project)/data/volume/runs/own/work"
            #expect(try File.list(work) == ["config.yaml"])
        }
    }
}
