import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct RequirementFilesTests {
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
        #expect(RequirementFiles.included(in: text) == files)
    }

    private func all(_ files: [String: String], _ paths: String...) throws -> [String] {
        let folder = try TemporaryFolder()
        for (path, text) in files {
            let full = folder.path.appending(path: path)
            try File.makeFolders(full.parentFolder)
            try File.write(Array(text.utf8), over: full)
        }
        return try RequirementFiles.all(paths, in: folder.path).map { file in
            // A file that is reached in two ways has the same content.
            #expect(file.content.text == files[file.path])
            return file.path
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
        let problem = #expect(throws: Problem.self) { try all(["a.txt": "-r deep/b.txt"], "a.txt") }
        #expect(problem?.sentence == #"there is no requirement file "deep/b.txt""#)
    }

    @Test("a file included by an absolute requirement file is found beside it")
    func absolutePaths() throws {
        let folder = try TemporaryFolder()
        try File.write(Array("-r b.txt".utf8), over: "\(folder.path)/a.txt")
        try File.write([], over: "\(folder.path)/b.txt")
        let found = try RequirementFiles.all(["\(folder.path)/a.txt"], in: "/nowhere")
        #expect(found.map(\.path) == ["\(folder.path)/a.txt", "\(folder.path)/b.txt"])
    }
}
