import Shared
import TestSupport
import Testing

@testable import Agent

/// The real git in a work tree below a repository of somebody else.
@Suite struct CodeCommitTests {
    private static let id = String(repeating: "0123456789abcdef0123", count: 2)

    private func withWork(_ body: (_ work: String, _ git: (String) throws -> String) throws -> Void) throws {
        let folder = "/tmp/commit-\([UInt8].random(count: 6).hexadecimal)"
        try File.makeFolders("\(folder)/run/work/sub")
        defer { try? File.removeTree(folder) }
        let work = "\(folder)/run/work"
        let git: (String) throws -> String = { script in
            let variables = CodeCommit.variables(["GIT_DIR": "\(folder)/.git"], commit: nil, around: work)
            let settings = variables.map { "\($0)='\($1)'" }.joined(separator: " ")
            let (code, output) = try Command.run(["sh", "-c", "export \(settings); \(script)"], in: work)
            return output.text.trimmed + (code == 0 ? "" : " exit \(code)")
        }
        _ = try Command.run(
            ["sh", "-c", "git init -q . && git -c user.name=n -c user.email=e commit -q --allow-empty -m x"], in: folder
        )
        try body(work, git)
    }

    @Test(
        "git finds the commit of the code in the work tree and in its folders",
        arguments: [id, id + String(id.prefix(24))])
    func found(id: String) throws {
        try withWork { work, git in
            try #require(CodeCommit(id)).write(to: work)
            #expect(try git("git rev-parse HEAD") == id)
            #expect(
                try git("cd sub; git rev-parse --short=8 HEAD; git rev-parse --show-toplevel")
                    == "\(id.prefix(8))\n\(work)")
            #expect(try git("git describe --always --dirty 2>/dev/null").hasSuffix(" exit 128"))
            // The next code.
            let next = String(id.reversed())
            try #require(CodeCommit(next)).write(to: work)
            #expect(try git("git rev-parse HEAD") == next)
        }
    }

    @Test("git finds no repository around the volume")
    func ceiling() throws {
        try withWork { (_, git) throws -> Void in
            #expect(try git("git rev-parse HEAD 2>/dev/null") == " exit 128")
            #expect(try git("cd sub; git status 2>/dev/null") == " exit 128")
        }
    }

    @Test("a repository that the training made or committed to stays")
    func others() throws {
        try withWork { work, git in
            #expect(try git("git init -q .") == "")
            try #require(CodeCommit(Self.id)).write(to: work)
            #expect(try git("git rev-parse --verify -q HEAD") == " exit 1")
            try File.removeTree("\(work)/.git")
            try #require(CodeCommit(Self.id)).write(to: work)
            #expect(
                try git(
                    "git symbolic-ref HEAD refs/heads/mine && git -c user.name=n -c user.email=e commit -q --allow-empty -m m"
                ) == "")
            let own = try git("git rev-parse HEAD")
            try #require(CodeCommit(String(Self.id.reversed()))).write(to: work)
            #expect(try git("git rev-parse HEAD") == own)
        }
    }

    @Test(
        "text that is no commit's id is refused",
        arguments: ["", "abc", "../../../etc/passwd", String(repeating: "G", count: 40)])
    func noID(text: String) { #expect(CodeCommit(text) == nil) }

    @Test("a child keeps its own ceilings, and gets the commit's id as a variable")
    func variables() throws {
        let commit = try #require(CodeCommit(Self.id))
        let variables = CodeCommit.variables(
            ["GIT_CEILING_DIRECTORIES": "/x", "GIT_INDEX_FILE": "/i", "A": "1"], commit: commit,
            around: "/v/runs/r/work")
        #expect(variables == ["GIT_CEILING_DIRECTORIES": "/v/runs/r:/x", "GIT_COMMIT": Self.id, "A": "1"])
    }
}
