import Glibc
import Shared
import TestSupport
import Testing

/// Files of a volume that another program put there.
@Suite struct StrangeFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("only a regular file within its limit is read")
    func readRegular() throws {
        let path = "\(folder.path)/a"
        try File.write(Array("four".utf8), over: path)
        #expect(try File.readRegular(path, limit: 4).text == "four")
        #expect(throws: Problem.self) { try File.readRegular(path, limit: 3) }
        symlink(path, "\(folder.path)/link")
        mkfifo("\(folder.path)/pipe", 0o600)
        for name in ["link", "pipe", ".", "none"] {
            #expect(throws: Problem.self, "\(name)") { try File.readRegular("\(folder.path)/\(name)", limit: 100) }
        }
    }

    @Test("a link or a pipe in the place of a staging file is removed and not written to")
    func staging() throws {
        let victim = "\(folder.path)/victim"
        try File.write(Array("mine".utf8), over: victim)
        for strange in ["link", "pipe", "folder"] {
            let path = "\(folder.path)/\(strange).json"
            switch strange {
            case "link": symlink(victim, path + ".new")
            case "pipe": mkfifo(path + ".new", 0o600)
            default: try File.makeFolders(path + ".new/inner")
            }
            try File.replace(path, with: Array("new".utf8))
            #expect(try File.readRegular(path, limit: 10).text == "new")
        }
        #expect(try File.read(victim).text == "mine")
    }

    @Test("a link or a pipe in the place of a file that is overwritten gives way to a file")
    func overwriting() throws {
        let victim = "\(folder.path)/victim"
        try File.write(Array("mine".utf8), over: victim)
        symlink(victim, "\(folder.path)/link")
        mkfifo("\(folder.path)/pipe", 0o600)
        for name in ["link", "pipe"] {
            try File.write(Array("new".utf8), over: "\(folder.path)/\(name)", truncating: false)
            #expect(try File.readRegular("\(folder.path)/\(name)", limit: 10).text == "new")
        }
        #expect(try File.read(victim).text == "mine")
    }

    @Test(
        "JSON with a number that could overflow is refused",
        arguments: ["9223372036854775807", "-9223372036854775807", "1e19", "1e300", "[1, 2305843009213693955]"])
    func largeNumber(_ text: String) {
        #expect(throws: DecodingError.self) { try JSON.decode([Double].self, from: Array("[\(text)]".utf8)) }
    }

    @Test("JSON with ordinary numbers, and with large ones inside of text, is read")
    func numbers() throws {
        let text = "[\"1e300\", \"\\\"1e300\", \"\\\\\"]"
        #expect(try JSON.decode([String].self, from: text.utf8) == ["1e300", "\"1e300", "\\"])
        #expect(try JSON.decode([Int].self, from: "[1795000000000000000, -3, 0]".utf8).count == 3)
        #expect(try JSON.decode([Double].self, from: "[1.5e3,1e-300]".utf8) == [1500, 1e-300])
    }

    @Test(
        "a path is confined if it stays below its folder",
        arguments: [
            ("a", true), ("a/b", true), ("..a/b", true), ("", false), ("/a", false), ("a/../b", false), ("a//b", false),
            ("..", false), ("./a", false), ("a/", false), ("a\0b", false),
        ])
    func confined(_ path: String, _ isConfined: Bool) { #expect(path.isConfinedPath == isConfined) }
}
