import Shared
import TestSupport
import Testing

@Suite struct RequirementTests {
    @Test(
        "the files that a requirement file includes are those that pip would read",
        arguments: [
            ("", []), ("torch==2.4\nnumpy\n", []), ("-r base.txt", ["base.txt"]), ("-r base.txt # why", ["base.txt"]),
            ("  -c limits.txt\r\n-rbase.txt\n", ["limits.txt", "base.txt"]), ("-cl.txt", ["l.txt"]),
            ("--requirement base.txt\n--constraint=limits.txt", ["base.txt", "limits.txt"]),
            ("--requirement = base.txt", ["base.txt"]), ("# -r base.txt\n#-r base.txt", []), ("-r", []), ("-r\n", []),
            ("--require-hashes\n--config x", []), ("-e ./here\n-i https://x\n--index-url https://x", []),
            ("torch --hash=-r\nrequests -r base.txt", []),
        ])
    func included(_ text: String, _ files: [String]) {
        let references = RequirementFile(Array(text.utf8)).references
        #expect(references.filter { $0.kind == .include }.map(\.target) == files)
    }

    private func all(_ files: [String: String], _ paths: String...) throws -> [String] {
        let folder = try TemporaryFolder()
        for (path, text) in files {
            let full = folder.path.appending(path: path)
            try File.makeFolders(full.parentFolder)
            try File.write(Array(text.utf8), over: full)
        }
        return try RequirementTree(paths, in: folder.path).nodes.map { node in
            // A file that is reached in two ways has the same content.
            #expect(node.file == files[node.path].map { RequirementFile(Array($0.utf8)) })
            return node.path
        }
    }

    @Test("included requirement files come in the order of pip")
    func order() throws {
        let files = [
            "a.txt": "-r deep/b.txt\n-r c.txt", "deep/b.txt": "-r d.txt\n-r e/f.txt", "deep/d.txt": "x",
            "deep/e/f.txt": "y", "c.txt": "z", "g.txt": "",
        ]
        #expect(
            try all(files, "a.txt", "g.txt")
                == ["a.txt", "deep/b.txt", "deep/d.txt", "deep/e/f.txt", "c.txt", "g.txt"])
    }

    @Test("a requirement file that is included several times comes once")
    func once() throws {
        let files = ["a.txt": "-r c.txt", "b.txt": "-c c.txt", "c.txt": "x"]
        #expect(try all(files, "a.txt", "b.txt", "a.txt") == ["a.txt", "c.txt", "b.txt"])
    }

    @Test("requirement files that include each other come once each")
    func cycles() throws {
        #expect(try all(["a.txt": "-r a.txt"], "a.txt") == ["a.txt"])
        #expect(try all(["a.txt": "-r b.txt", "b.txt": "-r a.txt"], "a.txt") == ["a.txt", "b.txt"])
        let files = ["a.txt": "-r deep/b.txt", "deep/b.txt": "-r ../a.txt\n-r ./c.txt", "deep/c.txt": "-r b.txt"]
        #expect(try all(files, "a.txt") == ["a.txt", "deep/b.txt", "deep/c.txt"])
    }

    @Test("a missing requirement file is an error that names it")
    func missing() throws {
        let missing = #expect(throws: RequirementTree.MissingFile.self) {
            try all(["a.txt": "torch\n-r deep/b.txt"], "a.txt")
        }
        #expect(missing?.path == "deep/b.txt" && missing?.includedBy == "a.txt" && missing?.line == 2)
        #expect(missing?.problem.sentence == #"there is no requirement file "deep/b.txt""#)
    }

    @Test("a file included by an absolute requirement file is found beside it")
    func absolutePaths() throws {
        let folder = try TemporaryFolder()
        try File.write(Array("-r b.txt".utf8), over: "\(folder.path)/a.txt")
        try File.write([], over: "\(folder.path)/b.txt")
        let found = try RequirementTree(["\(folder.path)/a.txt"], in: "/nowhere").nodes
        #expect(found.map(\.path) == ["\(folder.path)/a.txt", "\(folder.path)/b.txt"])
    }

    @Test("URLs are left to pip, in the config and in files")
    func urls() throws {
        let files = ["a.txt": "-c https://example.com/c.txt\n-r b.txt", "b.txt": "x"]
        #expect(try all(files, "https://example.com/r.txt", "a.txt") == ["a.txt", "b.txt"])
    }

    @Test(
        "the files and folders that lines name by their path are found",
        arguments: [
            ("./lib", "package ./lib"), ("lib/x.whl ; python_version > '3'", "package lib/x.whl"),
            ("x-1.0-py3-none-any.whl --hash=sha256:00", "package x-1.0-py3-none-any.whl"),
            ("./lib[train,dev]", "package ./lib"), ("-e .", "editable ."), ("-e lib[dev]", "editable lib"),
            ("--editable=./a", "editable ./a"), ("lib @ file:///a%20b/c.whl#sha256=00", "package /a b/c.whl"),
            ("-e file:///src/lib#egg=lib", "editable /src/lib"), ("--no-index -f 'my wheels'", "links my wheels"),
            ("--find-links=https://example.com/x", "links https://example.com/x"), ("torch==2.4+cpu", nil),
            ("lib @ git+https://u:t@example.com/lib.git@main", nil), ("-e git+ssh://git@example.com/lib#egg=l", nil),
            ("https://example.com/x.whl", nil), ("lib[a,b]>=1; extra == 'x'", nil), ("-i https://example.com", nil),
        ])
    func paths(_ line: String, _ expected: String?) {
        let found = RequirementFile(Array(line.utf8)).references.map { "\($0.kind) \($0.target)" }
        #expect(found == (expected.map { [$0] } ?? []))
    }

    @Test(
        "lines are those of pip: continued, without comments, in their encoding, with variables",
        arguments: [
            (Array("a \\\n  --hash=x\nb # c\n# d \\\ne#f".utf8), ["a   --hash=x", "b", "e#f"]),
            ([0xef, 0xbb, 0xbf] + Array("a\r\nb".utf8), ["a", "b"]),
            ([0xff, 0xfe, 0x61, 0, 0x0a, 0, 0x62, 0], ["a", "b"]),
            ([0xfe, 0xff, 0, 0x61, 0, 0x0a, 0, 0x62], ["a", "b"]),
            (Array("# -*- coding: latin-1 -*-\n./f".utf8) + [0xfc], ["./f\u{fc}"]),
            (Array("a==${V}\nb==${NONE}\nc==${v}\nd==$V".utf8), ["a==1", "b==${NONE}", "c==${v}", "d==$V"]),
        ] as [([UInt8], [String])])
    func lines(_ bytes: [UInt8], _ lines: [String]) {
        #expect(RequirementFile(bytes, variables: ["V": "1", "v": "2"]).lines.map(\.text) == lines)
    }

    @Test("a line keeps the number that its first line has in the file")
    func numbers() {
        let file = RequirementFile(Array("\n# x\na \\\n b\n\nc".utf8))
        #expect(file.lines.map(\.number) == [3, 6])
    }
}
