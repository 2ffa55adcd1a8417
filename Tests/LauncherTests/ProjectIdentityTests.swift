import Shared
import TestSupport
import Testing

@testable import Launcher

/// A project after ordinary work of git and of the shell.
@Suite struct ProjectIdentityTests {
    private func withProject(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/project-\([UInt8].random(count: 6).hexadecimal)"
        try File.makeFolders("\(folder)/a")
        defer { try? File.removeTree(folder) }
        try await body(folder)
    }

    private func sh(_ script: String, in folder: String) throws {
        let git = "git() { command git -c user.name=n -c user.email=e \"$@\"; }\n"
        let (code, output) = try Command.run(["sh", "-ec", git + script], in: folder)
        try #require(code == 0, "\(output.text)")
    }

    private static let commit = "git init -q .; git add -A; git commit -q --allow-empty -m one"

    @Test(
        "a project stays the same through ordinary work",
        arguments: [
            ("", commit), (commit, "git commit -q --amend --allow-empty -m two"),
            (
                commit,
                "git checkout -q --orphan b; git commit -q --allow-empty -m b; git merge -q --allow-unrelated-histories master || "
                    + "git merge -q --allow-unrelated-histories main"
            ),
            ("", "cd ..; mv a b; ln -s b a"), (commit, "cd ..; git clone -q a b; rm -rf a; mv b a"),
        ])
    func same(before: String, after: String) async throws {
        try await withProject { folder in
            if !before.isEmpty { try sh(before, in: folder + "/a") }
            let old = try await ProjectIdentity(folders: [folder + "/a"])
            try sh(after, in: folder + "/a")
            #expect(try await ProjectIdentity(folders: [folder + "/a"]).isSame(as: old))
        }
    }

    @Test("a config that moves to another folder of its project keeps its project by the folder of its code")
    func movedConfig() async throws {
        try await withProject { folder in
            try File.makeFolders("\(folder)/a/configs")
            let old = try await ProjectIdentity(folders: ["\(folder)/a"])
            let new = try await ProjectIdentity(folders: ["\(folder)/a/configs", "\(folder)/a"])
            #expect(new.isSame(as: old))
            #expect(!(try await ProjectIdentity(folders: ["\(folder)/a/configs"])).isSame(as: old))
        }
    }

    @Test("clones of a repository are one project, and two folders of it are two")
    func clones() async throws {
        try await withProject { folder in
            try sh(
                "mkdir s; touch s/f; \(Self.commit); git clone -q . ../b; git clone -q --depth 1 file://$PWD ../c",
                in: folder + "/a")
            let (top, sub) = (
                try await ProjectIdentity(folders: ["\(folder)/a"]),
                try await ProjectIdentity(folders: ["\(folder)/a/s"])
            )
            #expect(try await ProjectIdentity(folders: ["\(folder)/b"]).isSame(as: top))
            #expect(try await ProjectIdentity(folders: ["\(folder)/b/s"]).isSame(as: sub))
            #expect(!top.isSame(as: sub))
            // Without the root commit only the folder is known.
            #expect(!(try await ProjectIdentity(folders: ["\(folder)/c"])).isSame(as: top))
        }
    }

    @Test("another folder is another project, unless both configs name the same project")
    func names() async throws {
        try await withProject { folder in
            try File.makeFolders("\(folder)/b c")
            func identity(_ name: String, _ project: String?) async throws -> ProjectIdentity {
                try await ProjectIdentity(folders: ["\(folder)/\(name)"], name: project)
            }
            #expect(!(try await identity("a", nil)).isSame(as: try await identity("b c", nil)))
            #expect(!(try await identity("a", "x")).isSame(as: try await identity("b c", "y")))
            #expect(try await identity("a", "my name").isSame(as: try await identity("b c", "my name")))
        }
    }

    @Test("a project is the same after it was kept as text, and learns new marks")
    func text() async throws {
        try await withProject { folder in
            try File.makeFolders("\(folder)/b c")
            let (one, two) = (
                try await ProjectIdentity(folders: ["\(folder)/a"]),
                try await ProjectIdentity(folders: ["\(folder)/b c"], name: "100 %")
            )
            let both = ProjectIdentity(text: one.joined(with: two).text)
            #expect(both.marks == one.marks.union(two.marks))
            #expect(both.joined(with: one).text == both.text)
            await #expect(throws: Problem.self) { try await ProjectIdentity(folders: ["\(folder)/none"]) }
        }
    }
}
