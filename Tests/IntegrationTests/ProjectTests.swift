import Shared
import TestSupport
import Testing

/// The project that a run belongs to, and the commit of its code.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ProjectTests {
    private static let git = "git -c user.name=n -c user.email=e"

    private func sh(_ script: String, on site: Site) async throws -> String {
        let shell = try site.start(["sh", "-ec", script])
        try await shell.check()
        return shell.text.trimmed
    }

    @Test("a training that asks git gets the commit of its code, and never that of a repository around the volume")
    func commit() async throws {
        try await Site.with { site in
            _ = try await sh("git init -q .. && \(Self.git) -C .. commit -q --allow-empty -m outer", on: site)
            try site.config(
                "run: own\ncode: {path: .}\ncommand: git rev-parse HEAD; echo \"$GIT_COMMIT\"\nretry: {crash: 0}\n")
            let id = try await sh(
                "git init -q . && git add -A && \(Self.git) commit -q -m code && git rev-parse HEAD", on: site)
            let run = try site.launch("run")
            try await run.check()
            #expect(run.text.contains("\n\(id)\n\(id)\n"))
            try site.config("run: other\ncommand: git rev-parse HEAD\nretry: {crash: 0}\n")
            #expect(try await site.launch("run").end() == 128)
        }
    }

    @Test("a run goes on in a clone of its project's later repository, and in another project only if its user says so")
    func adoption() async throws {
        try await Site.with { site in
            try site.config("run: own\ncode: {path: .}\ncommand: echo one\n")
            try await site.launch("run").check()
            _ = try await sh("git init -q . && git add -A && \(Self.git) commit -q -m code", on: site)
            try site.config("run: own\ncode: {path: .}\ncommand: echo two\n")
            try await site.launch("run").check()
            // The same config and code in a clone: there is nothing to do.
            let clone = "git clone -q . ../clone && cp config.yaml ../clone && cd ../clone && \(Programs.launch) run"
            #expect(try await sh("\(clone) 2>&1", on: site).contains("\"own\" has finished with this config"))

            try site.write("stranger/config.yaml", "run: own\ncode: {path: .}\ncommand: echo three\n")
            let refused = try site.launch("run", "../stranger/config.yaml")
            #expect(try await refused.end() == 78)
            #expect(refused.errors.contains("run \"own\" belongs to another project\nhint: "))
            #expect(refused.errors.contains("launch run --adopt"))
            let adopted = try site.launch("run", "--adopt", "../stranger/config.yaml")
            try await adopted.check()
            #expect(adopted.text.contains("\nthree\n"))
            // From now on the run belongs to both.
            try await site.launch("run", "../stranger/config.yaml").check()
            try await site.launch("run").check()
        }
    }

    @Test("launch run exits with 73 if git refuses the repository")
    func refusedRepository() async throws {
        try await Site.with { site in
            _ = try await sh("git init -q .", on: site)
            try site.config("run: own\ncode: {path: .}\ncommand: ls\n")
            let run = try site.launch("run", environment: ["GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"])
            #expect(try await run.end() == 73)
            #expect(run.errors.contains("dubious ownership"))
        }
    }
}
