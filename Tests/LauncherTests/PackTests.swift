import Foundation
import Shared
import TestSupport
import Testing

@testable import Launcher

/// Packs of real folders and real git repositories, read with GNU tar.
@Suite final class PackTests {
    private let folder = NSTemporaryDirectory() + "pack-\(UUID().uuidString)"
    private var tree: String { folder + "/tree" }
    private var packs: String { folder + "/packs" }

    init() throws { try File.makeFolders(tree) }

    deinit {
        _ = try? sh("rm -rf '\(folder)'")  // removes names that are not UTF-8, too
    }

    @discardableResult
    private func sh(_ script: String, in place: String? = nil) throws -> String {
        let git = "git() { command git -c user.name=n -c user.email=e -c protocol.file.allow=always \"$@\"; }\n"
        let (code, output) = try Command.run(["sh", "-ec", git + script], in: place ?? tree)
        try #require(code == 0, "\(output.text)")
        return output.text
    }

    private func pack(_ sub: String = "", secrets: [String] = []) async throws -> CodePack {
        try await CodePack.make(
            folder: tree + sub, secrets: secrets.map { KnownSecret(value: $0, name: "T", origin: ".env") }, into: packs)
    }

    private func names(_ pack: CodePack) throws -> [String] {
        var reader = TarReader { [file = FileHandle(forReadingAtPath: pack.path)] buffer in
            let data = try file?.read(upToCount: buffer.count) ?? Data()
            buffer.copyBytes(from: data)
            return data.count
        }
        var names: [String] = []
        while let entry = try reader.next() { names.append(entry.path) }
        return names
    }

    private func problem(secrets: [String] = []) async -> Problem? {
        do {
            _ = try await pack(secrets: secrets)
            return nil
        } catch {
            return error as? Problem
        }
    }

    @Test(
        "git runs no program that a stranger's repository names",
        arguments: [
            "[core]\n fsmonitor = touch ../executed; false",
            """
            [core]
             repositoryformatversion = 1
             sshCommand = touch ../executed;
            [extensions]
             partialClone = origin
            [protocol]
             allow = always
            [protocol "ext"]
             allow = always
            [remote "origin"]
             promisor = true
             url = ext::sh -c touch% ../executed
            """,
            """
            [core]
             repositoryformatversion = 1
            [extensions]
             partialClone = origin
            [remote "origin"]
             promisor = true
             url = .
             uploadpack = touch ../executed;
            """,
        ])
    func hostileRepository(_ config: String) async throws {
        try sh("git init -q .; echo 1 >a; git add a; git commit -qm m")
        // Without the commit, git wants to fetch it.
        try sh("commit=$(git rev-parse HEAD); rm -f .git/objects/$(echo $commit | sed 's|^..|&/|')")
        try File.write(try File.read("\(tree)/.git/config") + Array("\n\(config)\n".utf8), over: "\(tree)/.git/config")
        _ = try? await pack()
        _ = try? await ProjectIdentity(folders: [tree])
        #expect(try !File.exists("\(folder)/executed"))
    }

    // MARK: - Files that are packed

    @Test("the pack of a git repository holds the files that git tracks or does not ignore")
    func gitFiles() async throws {
        try sh(
            """
            git init -q .; printf 'ignored/\\n*.log\\n' >.gitignore; mkdir -p ignored src; touch ignored/x a.log new
            echo 1 >src/a.py; echo 1 >gone; git add src gone; git commit -qm m; rm gone; git add -f a.log
            """)
        let pack = try await pack()
        #expect(try names(pack) == [".gitignore", "a.log", "new", "src/a.py"])
        #expect(pack.files == 4)
        #expect(pack.leftOut == [])
        #expect(pack.code.size == File.status(pack.path)?.size)
        #expect(try sh("sha256sum \(pack.path)").hasPrefix(pack.code.sha256))
        #expect(pack.path == "\(packs)/\(pack.code.sha256).tar")
    }

    @Test("the pack of a folder in a git repository holds that folder only")
    func subfolder() async throws {
        try sh(
            "git init -q .; mkdir -p sub/in other; echo /in/no >sub/.gitignore; touch sub/in/yes sub/in/no other/x; git add ."
        )
        #expect(try names(try await pack("/sub")) == [".gitignore", "in/yes"])
    }

    @Test("the pack holds files of submodules and nested repositories and reports absent submodules")
    func submodules() async throws {
        try sh(
            """
            git init -q ../lib; cd ../lib; echo '*.o' >.gitignore; touch a.c; git add .; git commit -qm m; cd ../tree
            git init -q .; git submodule add -q ../lib lib; touch lib/a.o lib/new.c
            git init -q nested; touch nested/n; cd nested; git add .; git commit -qm m; cd ..
            git submodule add -q ../lib absent; git commit -qm m; git submodule --quiet deinit -f absent
            """)
        let pack = try await pack()
        #expect(try names(pack) == [".gitmodules", "lib/.gitignore", "lib/a.c", "lib/new.c", "nested/n"])
        #expect(pack.leftOut == ["absent (a submodule that is not checked out)"])
    }

    @Test("a link that replaced a tracked folder is packed as a link, with a warning")
    func linkForFolder() async throws {
        try sh("git init -q .; mkdir a ../b; touch a/x ../b/x; git add .; rm -r a; ln -s ../b a")
        let pack = try await pack()
        #expect(try names(pack) == ["a"])
        #expect(pack.warnings.count == 1)
    }

    @Test("a file with a merge conflict is packed once")
    func mergeConflict() async throws {
        try sh(
            """
            git init -q -b main .; echo 1 >f; git add .; git commit -qm m; git checkout -qb o; echo 2 >f; git commit -qam m
            git checkout -q main; echo 3 >f; git commit -qam m; git merge -q o >/dev/null || true
            """)
        #expect(try names(try await pack()) == ["f"])
    }

    @Test("the pack of a folder without git holds all but caches and files that .launchignore names")
    func launchignore() async throws {
        try sh(
            """
            mkdir -p a/__pycache__ .git data keep/empty; touch a/x.py a/__pycache__/x.pyc .git/c data/big data/small run
            printf '# big\\n\\n/data/*\\n!small\\n' >.launchignore
            """)
        #expect(try names(try await pack()) == [".launchignore", "a/x.py", "data/small", "keep/empty", "run"])
    }

    @Test("packing fails for a repository that git cannot read")
    func brokenRepository() async throws {
        try sh("git init -q .; touch a; echo '[core' >.git/config")
        #expect(await problem()?.sentence.hasPrefix("git cannot read") == true)
    }

    @Test(".launchignore selects the same files as the same rules do in git")
    func ignoreRules() async throws {
        try sh(
            "mkdir -p a/b/c b/a 'sp ace' x; for d in . a a/b a/b/c b b/a 'sp ace' x; do touch $\"\" 2>/dev/null || true; for f in a1 b.py '#c' '!d' 'e ' .f; do touch \"$d/$f\"; done; done"
        )
        try sh("git init -q --bare ../git")
        let rules = [
            "a", "/a", "a/", "/a1", "a/b", "b.py", "*.py", "/*.py", "**/a", "a/**", "a/**/a1", "**/b/**", "*", "?1",
            "[ab]*",
            "[!a]1", "\\#c", "#c", "\\!d", "!b.py", "!a/", "!/a", "!a/b", "!*.py", "!*/", "e\\ ", "e ", ".*", ".f",
            "sp ace/",
            "a**1", "/**", "**", "**/", "!a1", "x/*", "!x/.f", "", "  ", "/", "a//b", "b/", "!b/a/a1",
        ]
        var generator = Fixed(seed: 7)
        for _ in 0..<250 {
            let text = (0..<Int.random(in: 1...4, using: &generator)).compactMap { _ in
                rules.randomElement(using: &generator)
            }
            .joined(separator: "\n")
            try Data(text.utf8).write(to: URL(fileURLWithPath: tree + "/.launchignore"))
            let mine = try await CodeTree(folder: tree).entries.filter { $0.kind != .folder }.map(\.path)
            let its = try sh("git --git-dir=../git --work-tree=. ls-files -z --others -X .launchignore")
                .split(separator: "\0").map(String.init).sorted()
            #expect(mine.sorted() == its, "\(text.debugDescription)")
        }
    }

    // MARK: - Files that are never packed

    @Test("a pack never holds .env files, keys and other files made for secrets", arguments: [true, false])
    func secretFiles(git: Bool) async throws {
        try sh(
            """
            mkdir -p sub .env.d .ssh; touch a .env sub/.env.local .env.d/x .env.d/y .runpod.env sub/server.pem sub/x.KEY id_rsa \
            sub/id_ed25519 id_ecdsa_sk .netrc .pypirc .ssh/config environment.py keys.py
            """)
        if git { try sh("git init -q .; git add -f .") }
        let pack = try await pack()
        #expect(try names(pack) == ["a", "environment.py", "keys.py"])
        #expect(
            pack.leftOut.map { $0.replacing(" (made to hold secrets)", with: "") } == [
                ".env", ".env.d/", ".netrc", ".pypirc", ".runpod.env", ".ssh/", "id_ecdsa_sk", "id_rsa",
                "sub/.env.local",
                "sub/id_ed25519", "sub/server.pem", "sub/x.KEY",
            ])
    }

    @Test(
        "packing fails if a file holds a secret's value at any offset",
        arguments: [
            0, 1, 7, (256 << 10) - 30, (256 << 10) - 13, (256 << 10) - 1, 256 << 10, (512 << 10) - 5, (512 << 10) + 40,
        ])
    func secretInFile(offset: Int) async throws {
        let secret = "sk-live-0123456789abcdef"
        let bytes = [UInt8](repeating: UInt8(ascii: "s"), count: offset) + Array(secret.utf8) + Array("rest".utf8)
        try sh("mkdir sub")
        try Data(bytes).write(to: URL(fileURLWithPath: tree + "/sub/f"))
        let found = await problem(secrets: ["unrelated-value", "short", secret])
        #expect(found?.sentence == "\"sub/f\" holds the value of a secret, \"T\" of .env")
        #expect(found?.hint?.contains(secret) == false)
        #expect(await problem(secrets: [secret + "x", "rest"]) == nil)
        #expect(try File.list(packs).filter { $0.hasPrefix(".") } == [])
    }

    @Test("packing fails if a link or a file name holds a secret's value, and does not print it")
    func secretInName() async throws {
        try sh("touch a; ln -s /tmp/supersecret1 l")
        #expect(
            await problem(secrets: ["supersecret1"])?.sentence == "\"l\" holds the value of a secret, \"T\" of .env")
        try sh("rm l; touch supersecret1")
        #expect(await problem(secrets: ["supersecret1"])?.description.contains("supersecret1") == false)
    }

    // MARK: - Limits and unusual files

    @Test("packing more than 100 MB fails and names the largest files")
    func sizeLimit() async throws {
        try sh("for i in 1 2 3 4 5 6; do truncate -s ${i}0000000 f$i; done; touch a")
        let found = await problem()
        #expect(found?.sentence.contains("210.0 MB, above the limit of 100.0 MB") == true)
        #expect(
            found?.hint?.hasSuffix(
                "\"f6\" (60.0 MB), \"f5\" (50.0 MB), \"f4\" (40.0 MB), \"f3\" (30.0 MB), \"f2\" (20.0 MB)") == true)
        try sh("rm f4 f5 f6; truncate -s 60000000 f2")
        #expect(try await pack().files == 4)  // exactly 100 MB
        try sh("echo >>a")
        #expect(await problem() != nil)
    }

    @Test("packing fails if there are no files to pack")
    func nothingToPack() async throws {
        #expect(await problem()?.sentence.hasPrefix("there is no code to pack") == true)
        try sh("git init -q .; echo '*' >.gitignore; touch a")
        #expect(await problem()?.sentence.hasPrefix("there is no code to pack") == true)
    }

    @Test("a pack leaves out pipes and names that are not UTF-8, and reports them")
    func unusualFiles() async throws {
        try sh("touch a; mkfifo p; touch \"$(printf 'b\\377')\"")
        let pack = try await pack()
        #expect(try names(pack) == ["a"])
        #expect(pack.leftOut.count == 2 && pack.leftOut.contains("p (a device, a pipe or a socket)"))
        try sh("git init -q .; git add .")
        #expect(try await self.pack().leftOut.count == 1)  // git does not list pipes
    }

    @Test(
        "packing fails for a file that cannot be read and names it",
        .enabled(if: getuid() != 0, "root reads everything"))
    func unreadable() async throws {
        try sh("touch a; chmod 0 a")
        #expect(await problem()?.sentence.contains("\"a\"") == true)
    }

    @Test("a pack holds links as links and warns of those that lead out of the code")
    func links() async throws {
        try sh(
            "mkdir d; touch d/f; ln -s d/f in; ln -s ../x d/out; ln -s ../../x d/far; ln -s /nowhere/else abs; ln -s d/../d dir"
        )
        try sh("mv d/out d/ok; ln -sfn ../in d/ok")
        let pack = try await pack()
        #expect(try sh("tar tvf \(pack.path)").contains("in -> d/f"))
        #expect(
            pack.warnings == [
                "\"abs\" is a link that leads out of the code, to \"/nowhere/else\"",
                "\"d/far\" is a link that leads out of the code, to \"../../x\"",
            ])
    }

    @Test(
        "packing fails if a file changes while it is packed, and names the file",
        arguments: ["echo x >>log", "printf x | dd of=log conv=notrunc 2>/dev/null"])
    func changingFile(writer: String) async throws {
        try sh("truncate -s 30000000 log; touch a")
        let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(null) }
        let script = "while :; do \(writer); done"
        let pid = try CleanSpawn(
            program: "/bin/sh", arguments: ["sh", "-c", script], environment: ProcessEnvironment.all, folder: tree,
            output: null
        ).start()
        let found = await problem()
        kill(-pid, SIGKILL)
        waitpid(pid, nil, 0)
        #expect(found?.sentence == "\"log\" changes while it is packed")
        #expect(await problem() == nil)
    }

    // MARK: - The pack's file

    @Test("packing unchanged files again keeps the pack's file, with a new time, and restores an emptied one")
    func unchanged() async throws {
        try sh("mkdir d; echo 1 >d/a; echo 2 >b; chmod 755 b")
        let first = try await pack()
        let file = try sh("stat -c %i \(first.path)")
        try sh("touch -d '2001-01-01' ../packs/*.tar d/a; cp -r d e; rm -r d; mv e d")
        let again = try await pack()
        #expect(again == first)
        #expect(try sh("stat -c %i \(first.path)") == file)
        // An agent removes packs that are old.
        #expect(try !sh("stat -c %y \(first.path)").hasPrefix("2001"))
        try sh("chmod 644 b")
        #expect(try await pack().code != first.code)
        // The pack's file was emptied: it is written again.
        try sh(": >\(first.path); chmod 755 b")
        #expect(File.status(try await pack().path)?.size == first.code.size)
        #expect(try File.list(packs).count == 2)
    }

    @Test("packing removes old staging files that killed launchers left")
    func staging() async throws {
        try sh("touch a; mkdir ../packs; touch -d '2 hours ago' ../packs/.pack-old; touch ../packs/.pack-young")
        let pack = try await pack()
        #expect(try File.list(packs) == [".pack-young", "\(pack.code.sha256).tar"])
    }

    @Test("the pack is written to the path on the volume where the agent reads it")
    func packPath() async throws {
        try sh("touch a")
        let volume = Volume(root: folder + "/volume")
        let pack = try await CodePack.make(folder: tree, on: volume)
        #expect(pack.path == volume.pack(pack.code))
    }

    @Test("a random folder that is packed and unpacked again stays equal", arguments: 0..<12)
    func randomTrees(seed: UInt64) async throws {
        var generator = Fixed(seed: seed)
        let parts = [
            "a", "b c", "ü", "u\u{308}", "new\nline", "-x", "训练", String(repeating: "l", count: 120), "*", "\\", "'",
        ]
        for _ in 0..<40 {
            let depth = Int.random(in: 1...4, using: &generator)
            let path = (0..<depth).compactMap { _ in parts.randomElement(using: &generator) }.joined(separator: "/")
            let full = "\(tree)/\(path)"
            guard (try? File.makeFolders(full.parentFolder)) != nil, File.status(full) == nil else { continue }
            if Int.random(in: 0..<6, using: &generator) == 0 {
                try? File.replaceLink(full, to: parts.randomElement(using: &generator) ?? "x")
            } else {
                let size = [0, 1, 511, 512, 513, 70_000, 300_000].randomElement(using: &generator) ?? 0
                let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
                try? File.replace(full, with: bytes, mode: Bool.random(using: &generator) ? 0o755 : 0o644)
            }
        }
        if seed.isMultiple(of: 2) { try sh("git init -q ../git; mv ../git/.git .; git add .; rm -f .git/hooks/*") }
        let pack = try await pack(secrets: ["not-in-there-at-all"])
        try sh(
            "mkdir ../out; tar xf \(pack.path) -C ../out; find ../tree -path ../tree/.git -prune -o -type d -empty -print0 | xargs -0 -r rmdir"
        )
        try sh("diff -r --no-dereference --exclude=.git . ../out")
        #expect(
            try sh("find . -path ./.git -prune -o -type f -perm -100 -print | sort")
                == sh("find . -type f -perm -100 | sort", in: folder + "/out"))
    }
}

/// SplitMix64: the same seed gives the same numbers.
private struct Fixed: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
