import Shared
import TestSupport
import Testing

/// The log, the terminal and the status report each change to the user's files and processes.
@Suite(.serialized, .timeLimit(.minutes(2))) struct NotesTests {
    @Test("launch status --json has a note of each thing that was done to the user's files and processes")
    func notes() async throws {
        try await Site.with { site in
            try site.config(
                """
                run: notes
                code: {path: ., include: [data/small.json]}
                command: |
                  cd /nowhere
                  cat data/small.json
                  echo new > result.csv
                """)
            try site.write("project/train.py", "v1\n")
            try site.write("project/.gitignore", "data/\n")
            try site.write("project/data/small.json", "small\n")
            try site.write("project/data/large.json", "large\n")
            try site.write("project/.env", "NAME=not-so-secret-value\n")
            let first = try site.launch("run")
            try await first.check()
            #expect(first.text.contains("\nsmall\n"))
            try site.write("project/result.csv", "old\n")
            let second = try site.launch("run")
            try await second.check()

            let status = try await site.status("notes")
            let launched = try #require(status.notes)
            #expect(
                launched.contains {
                    $0.hasSuffix("; .gitignore ignores data/; \"code.include\" brings data/small.json")
                })
            #expect(launched.contains("left out of the code: .env (made to hold secrets)"))
            for note in launched { #expect(second.errors.contains("launch: \(note)\n")) }
            let done = try #require(status.attempts.last?.notes)
            #expect(done.contains { $0.hasPrefix("REPLACED: result.csv: ") })
            for note in done { #expect(second.text.contains("\n\(note)\n")) }
        }
    }

    @Test("a line of the command that failed is reported although the last one did not")
    func failedLine() async throws {
        try await Site.with { site in
            try site.config("run: line\ncommand: |\n  cd /nowhere\n  echo trained\n")
            let run = try site.launch("run")
            try await run.check()
            let line =
                "WARNING: line 1 of the command failed with exit code 1 although the last one did not: cd /nowhere"
            #expect(run.text.contains("\ntrained\n\(line)\nEXIT_CODE=0\n"))
            #expect(try await site.status("line").attempts.last?.notes == [line])
        }
    }
}
