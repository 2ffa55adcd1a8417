import Foundation
import Shared
import TestSupport
import Testing

@testable import Launcher

/// Code folders with files that ignore rules leave out, and what brings them back.
@Suite final class IgnoredFilesTests {
    private let folder: TemporaryFolder
    private var tree: String { folder.path + "/tree" }

    init() throws {
        folder = try TemporaryFolder("ignored")
        try File.makeFolders(tree)
    }

    private func sh(_ script: String) throws {
        let git = "git() { command git -c user.name=n -c user.email=e \"$@\"; }\n"
        let (code, output) = try Command.run(["sh", "-ec", git + script], in: tree)
        try #require(code == 0, "\(output.text)")
    }

    private func list(
        _ include: [String] = [], checkpoints: String? = nil
    ) async throws -> (names: [String], words: String, tree: CodeTree) {
        let area = CheckpointArea(
            of: checkpoints.map { CheckpointRule(path: $0) }, workdir: ".", work: "/v/runs/r/work")
        let notCode = NotCode(checkpoints: area, volume: Volume(root: "/nowhere"), home: "/nowhere", outputs: [])
        let found = try await CodeTree(folder: tree, without: notCode, including: include)
        return (found.entries.map { $0.path + ($0.kind == .folder ? "/" : "") }, found.ignored.words, found)
    }

    @Test("one line says which rules apply and what they ignore")
    func words() async throws {
        try sh("mkdir data sub; touch train.py data/big sub/a.log")
        #expect(try await list().words == "no ignore rules apply")
        try sh("printf 'data/\\n' >.gitignore")
        #expect(try await list().words == ".gitignore ignores data/")
        try sh("printf '*.log\\n' >.launchignore")
        #expect(try await list().words == ".gitignore and .launchignore ignore data/, sub/a.log")
        try sh("rm -r .gitignore .launchignore; git init -q .")
        #expect(try await list().words == "git ignores nothing")
        try sh("echo /sub >.launchignore; echo data >.git/info/exclude")
        #expect(try await list().words == "git and .launchignore ignore data/, sub/")
        try sh("rm .launchignore; touch 1.o 2.o 3.o 4.o 5.o 6.o; echo '*.o' >.gitignore")
        #expect(try await list().words == "git ignores 1.o, 2.o, 3.o, 4.o, 5.o, and 2 more")
    }

    @Test("included files and folders come whatever rules ignore them", arguments: [true, false])
    func include(git: Bool) async throws {
        try sh(
            "mkdir -p data/more/deep/__pycache__; touch train.py data/small.json data/big data/more/a data/more/deep/b")
        try sh("echo data/ >.gitignore; echo train.py >.launchignore; touch data/more/deep/__pycache__/c")
        if git { try sh("git init -q .; git add .; git commit -qm m") }
        #expect(try await list().names == [".gitignore", ".launchignore"])
        let found = try await list(["data/small.json", "data/more", "train.py"])
        #expect(
            found.names == [
                ".gitignore", ".launchignore", "data/more/a", "data/more/deep/b", "data/small.json", "train.py",
            ])
        #expect(found.words.hasSuffix("; \"code.include\" brings data/more, data/small.json, train.py"))
        #expect(try await list(["."]).names.count == 7)
    }

    @Test("a file that git tracks comes once although it is included")
    func includedTwice() async throws {
        try sh("git init -q .; touch a; git add .")
        #expect(try await list(["a", "a"]).names == ["a"])
    }

    @Test("a path of code.include that brings nothing is an error")
    func includeNothing() async throws {
        try sh("mkdir out real; touch a .env out/model real/f; ln -s real link")
        let reasons = [
            ("data/*.json", "does not exist"), (".env", "is never packed"), ("out", "is never packed"),
            ("out/model", "is never packed"), ("link/f", "is never packed"),
        ]
        for (path, reason) in reasons {
            let problem = await #expect(throws: Problem.self) { try await list([path], checkpoints: "out") }
            #expect(problem?.sentence == "\"code.include\" names \"\(path)\", which \(reason)")
        }
        #expect(try await list(["link"]).names == ["a", "link", "out/model", "real/f"])
    }

    @Test("an exclamation mark in .launchignore brings back what git ignores", arguments: [true, false])
    func broughtBack(git: Bool) async throws {
        try sh(
            "mkdir -p data/sub cache/a logs .venv; touch t.py data/x.json data/big data/sub/y cache/a/1 logs/1.log .venv/x.py"
        )
        try sh("printf 'data/\\ncache/\\n*.log\\n.venv\\nlocal.py\\n' >.gitignore; touch local.py cache/b")
        if git { try sh("git init -q .; git add .; git commit -qm m") }
        let usual = [".gitignore", ".launchignore"]
        func list(_ rules: String) async throws -> [String] {
            try sh("printf '\(rules)\\n' >.launchignore")
            return try await self.list().names.filter { !usual.contains($0) && $0 != "t.py" }
        }
        #expect(try await list("!/data/x.json") == ["data/x.json"])
        #expect(try await list("!data/*.json") == ["data/x.json"])
        #expect(try await list("!data/**/y") == ["data/sub/y"])
        #expect(try await list("!/data/") == ["data/big", "data/sub/y", "data/x.json"])
        #expect(try await list("!data\\n/data/sub") == ["data/big", "data/x.json"])
        #expect(try await list("!*.log") == ["logs/1.log"])
        // Without a path a rule leads into no ignored folder: nobody wants the Python files of an environment.
        #expect(try await list("*\\n!*.py") == ["local.py"])
        #expect(try await list("/cache\\n!/cache/b") == [])
        _ = try await list("!/data/x.json")
        #expect(try await self.list().words.hasSuffix("; \"!\" in .launchignore brings back data/x.json"))
    }

    @Test("rules of .gitignore files select the same files without git as with it")
    func withoutGit() async throws {
        try sh(
            """
            mkdir -p a/b/c b/a 'sp ace' x; for d in . a a/b a/b/c b b/a 'sp ace' x
            do for f in a1 b.py '#c' '!d' .f; do touch "$d/$f"; done; done; git init -q --bare ../git
            """)
        let rules = [
            "a", "/a", "a/", "/a1", "a/b", "b.py", "*.py", "/*.py", "**/a", "a/**", "**/b/**", "*", "?1", "[ab]*",
            "\\#c", "\\!d", "!b.py", "!a/", "!/a", "!a/b", "!*.py", "!*/", ".f", "sp ace/", "!a1", "!x/.f", "b/", "/c",
        ]
        var generator = SeededGenerator(seed: 14)
        for _ in 0..<120 {
            var texts: [String] = []
            for place in ["", "a/", "a/b/", "x/"] {
                let count = Int.random(in: 0...2, using: &generator)
                let text = (0..<count).compactMap { _ in rules.randomElement(using: &generator) }.joined(
                    separator: "\n")
                texts.append(text)
                try File.write(Array(text.utf8), over: "\(tree)/\(place).gitignore")
            }
            let mine = try await list().names.filter { !$0.hasSuffix("/") }
            let (code, output) = try Command.run(
                ["git", "--git-dir=../git", "--work-tree=.", "ls-files", "-z", "--others", "--exclude-standard"],
                in: tree)
            try #require(code == 0)
            let its = output.split(separator: 0).map { Array($0).text }
            #expect(Set(mine) == Set(its), "\(texts)")
        }
    }

    @Test("above repositories each one has its own rules, and the folder has its .gitignore")
    func aboveRepositories() async throws {
        try sh(
            """
            mkdir -p one/data two plain out; echo out >.gitignore; touch out/x plain/y plain/z.o; echo '*.o' >plain/.gitignore
            cd one; git init -q .; echo data >.gitignore; touch data/1 t.py t.o; git add -f t.py t.o; git commit -qm m
            cd ../two; git init -q .; echo '!x' >.git/info/exclude; echo u >>.git/info/exclude; touch u v
            """)
        let found = try await list()
        #expect(
            found.names == [
                ".gitignore", "one/.gitignore", "one/t.o", "one/t.py", "plain/.gitignore", "plain/y", "two/v",
            ])
        #expect(found.words == "git and .gitignore ignore one/data/, out/, plain/z.o, two/u")
    }

    @Test("code in a folder that its repository ignores can be included")
    func ignoredFolder() async throws {
        try sh("git init -q ..; echo tree >../.gitignore; mkdir a; touch a/t.py")
        #expect(try await list().names == [])
        #expect(try await list(["."]).names == ["a/t.py"])
        try sh("echo '!/a' >.launchignore")
        #expect(try await list().names == ["a/t.py"])
    }

    @Test(
        "URLs with a password are found", arguments: [0, 250, (256 << 10) - 20, (256 << 10) - 5, 300_000])
    func passwords(offset: Int) async throws {
        let text = String(repeating: "x", count: offset) + " git+https://me:s3cr-et@example.com/x"
        try File.write(Array(text.utf8), over: "\(tree)/a")
        try File.write([], over: "\(tree)/b")
        let pack = try await CodePack.make(folder: tree, into: folder.path + "/packs")
        #expect(pack.warnings == ["a URL with a password goes to the volume with the code, in \"a\""])
    }

    @Test(
        "only real passwords in URLs count",
        arguments: [
            ("https://me:abcd1234@h/", true), ("postgres://u:p%40ss@h", true), ("postgres://u:pa55word@h:5432/d", true),
            ("https://ghp_0123456789abcdef0123@github.com/a", true), ("https://git@github.com/a", false),
            ("ssh://git@github.com", false), ("https://user:password@h/", false), ("https://user:${TOKEN}@h", false),
            ("https://%s:%s@h", false), ("https://{user}:{key}@h", false), ("https://<user>:<key>@h", false),
            ("https://h/a:b@c", false),
            ("https://h:80/ a:b@c", false), ("https://u:@h", false), ("u:p@h", false), ("//u:p@h", false),
            ("@ @@ https://a:bcdefgh@h", true),
        ])
    func realPasswords(_ text: String, _ expected: Bool) {
        #expect(Array(text.utf8).withUnsafeBytes { URLPasswords.areIn($0) } == expected)
    }
}
