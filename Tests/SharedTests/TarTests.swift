import Foundation
import Shared
import TestSupport
import Testing

/// The tar reader and writer, tested against GNU tar.
@Suite final class TarTests {
    private let folder = NSTemporaryDirectory() + "tar-\(UUID().uuidString)"

    init() throws { try File.makeFolders(folder) }

    deinit { try? File.removeTree(folder) }

    private func sh(_ script: String) throws -> String {
        let (code, output) = try Command.run(["sh", "-ec", script], in: folder)
        try #require(code == 0, "\(output.text)")
        return output.text
    }

    private func write(_ members: [(TarEntry, [UInt8])]) throws -> [UInt8] {
        final class Bytes { var all: [UInt8] = [] }
        let bytes = Bytes()
        var writer = TarWriter { bytes.all += $0 }
        for (entry, content) in members {
            try writer.begin(entry)
            try content.withUnsafeBytes { try writer.write($0) }
        }
        try writer.finish()
        return bytes.all
    }

    private func read(_ archive: [UInt8], piece: Int = 1 << 20) throws -> [(TarEntry, [UInt8])] {
        var rest = archive[...]
        var reader = TarReader { buffer in
            let part = rest.prefix(min(piece, buffer.count))
            buffer.copyBytes(from: part)
            rest = rest.dropFirst(part.count)
            return part.count
        }
        var members: [(TarEntry, [UInt8])] = []
        while let entry = try reader.next() { members.append((entry, try reader.readAll())) }
        return members
    }

    private static func file(_ path: String, _ text: String, executable: Bool = false) -> (TarEntry, [UInt8]) {
        (TarEntry(path, .file(size: text.utf8.count, isExecutable: executable)), Array(text.utf8))
    }

    private static let long = String(repeating: "long-folder/", count: 24) + "file ünïcode 训练.py"
    private static let members: [(TarEntry, [UInt8])] = [
        (TarEntry("empty", .folder), []),
        file("a", ""),
        file("bin/run me", "#!/bin/sh\n", executable: true),
        file("new\nline", "x"),
        file("ünïcode/训练.py", String(repeating: "é", count: 300)),
        file("512", String(repeating: "b", count: 512)),
        file(long, "deep"),
        file(String(repeating: "n", count: 200), "no slash to cut at"),
        file(String(repeating: "p", count: 90) + "/" + String(repeating: "q", count: 90), "prefix and name"),
        (TarEntry("link", .link(target: "bin/run me")), []),
        (TarEntry("far", .link(target: String(repeating: "../", count: 60) + "etc")), []),
        (TarEntry(String(repeating: "f/", count: 100) + "folder", .folder), []),
    ]

    @Test(
        "the tar reader returns what the tar writer wrote, with reads of any size", arguments: [1, 511, 513, 1 << 20])
    func roundTrip(piece: Int) throws {
        let back = try read(try write(Self.members), piece: piece)
        #expect(back.map(\.0) == Self.members.map(\.0))
        #expect(back.map(\.1) == Self.members.map(\.1))
    }

    @Test("two tar archives of the same members are equal byte for byte")
    func reproducible() throws {
        #expect(try write(Self.members) == write(Self.members))
    }

    @Test("GNU tar unpacks our archives with all names, modes and contents")
    func gnuTarReads() throws {
        try Data(try write(Self.members)).write(to: URL(fileURLWithPath: folder + "/x.tar"))
        let listing = try sh("tar tvf x.tar --full-time --quoting-style=escape")
        #expect(listing.contains("-rwxr-xr-x 0/0              10 1970-01-01 00:00:00 bin/run me"))
        _ = try sh("mkdir out; tar xf x.tar -C out")
        for (entry, content) in Self.members {
            let path = "\(folder)/out/\(entry.path)"
            switch entry.kind {
            case .folder: #expect(File.status(path)?.isFolder == true)
            case .link(let target): #expect(try File.readLink(path) == target)
            case .file(_, let isExecutable):
                #expect(try File.read(path) == content)
                #expect(File.isExecutable(path) == isExecutable)
            }
        }
    }

    @Test(
        "the tar reader reads each format that GNU tar writes",
        arguments: ["gnu", "posix", "pax", "v7", "ustar", "oldgnu"])
    func gnuTarWrites(format: String) throws {
        let long = ["v7": 80, "ustar": 200][format] ?? 300
        _ = try sh(
            """
            mkdir -p in/sub/empty; cd in; printf hello >sub/file; printf '#!' >run; chmod 755 run; ln -s sub/file link
            d=$(printf 'd/%.0s' $(seq 1 \(long / 2 - 20))); mkdir -p $d; printf deep >${d}end; printf ü >'ü x'
            tar cf ../x.tar --format=\(format) .
            """)
        let all = try read(try File.read(folder + "/x.tar"))
        let members = Dictionary(uniqueKeysWithValues: all.map { ($0.0.path, $0) })
        #expect(members["sub/file"]?.1 == Array("hello".utf8))
        #expect(members["run"]?.0.kind == .file(size: 2, isExecutable: true))
        #expect(members["link"]?.0.kind == .link(target: "sub/file"))
        #expect(members["sub/empty"]?.0.kind == .folder)
        #expect(members[String(repeating: "d/", count: long / 2 - 20) + "end"]?.1 == Array("deep".utf8))
        #expect(members["ü x"] != nil)
        #expect(members["."] == nil && members[""] == nil)
    }

    @Test("the tar reader reads a link of GNU tar whose target has 200 characters")
    func longLink() throws {
        let target = String(repeating: "t", count: 200)
        _ = try sh("ln -s \(target) l; tar cf x.tar --format=gnu l")
        #expect(try read(try File.read(folder + "/x.tar")).map(\.0) == [TarEntry("l", .link(target: target))])
    }

    @Test("the tar reader and the tar writer handle files above 8 GB")
    func largeSizes() throws {
        let size = 9 << 30
        _ = try sh("truncate -s \(size) big; : >after")
        for format in ["gnu", "posix"] {
            // head stops reading early: only the first header matters.
            _ = try sh("tar cf - --format=\(format) big 2>/dev/null | head -c 4096 >head-\(format)")
            var rest = try File.read("\(folder)/head-\(format)")[...]
            var reader = TarReader { buffer in
                let part = rest.prefix(buffer.count)
                buffer.copyBytes(from: part)
                rest = rest.dropFirst(part.count)
                return part.count
            }
            #expect(try reader.next() == TarEntry("big", .file(size: size, isExecutable: false)))
        }
        final class Bytes { var all: [UInt8] = [] }
        let bytes = Bytes()
        var writer = TarWriter { bytes.all += $0 }
        try writer.begin(TarEntry("big", .file(size: size, isExecutable: false)))
        try Data(bytes.all).write(to: URL(fileURLWithPath: folder + "/own"))
        #expect(try sh("tar tvf own 2>/dev/null || true").contains("\(size)"))
    }

    @Test("the tar reader refuses an archive that is cut off anywhere")
    func truncated() throws {
        let archive = try write([Self.file("a", "hello"), Self.file(Self.long, "deep")])
        for length in stride(from: 0, to: archive.count - 1024, by: 37) {
            #expect(throws: Problem.self) { try read(Array(archive[..<length])) }
        }
    }

    @Test("the tar reader refuses a header with one damaged byte")
    func damagedHeader() throws {
        let archive = try write([Self.file("a", "hello")])
        for index in 0..<512 {
            var damaged = archive
            damaged[index] ^= 0x15
            if index < 148 || index >= 156 { #expect(throws: Problem.self, "\(index)") { try read(damaged) } }
        }
    }

    @Test("the tar reader never crashes on damaged archives")
    func noise() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var archive = (try? write(Self.members)) ?? []
            for _ in 0..<20 { archive[.random(in: archive.indices, using: &generator)] = .random(in: 0...255) }
            _ = try? read(archive)
        }
    }

    @Test(
        "the tar reader refuses paths that lead out of the folder",
        arguments: [
            ["/etc/passwd"], ["../x"], ["a/../../x"], ["a/.."], [".."],
        ])
    func outside(paths: [String]) throws {
        let archive = try write(paths.map { Self.file($0, "x") })
        #expect(throws: Problem.self) { try read(archive) }
    }

    @Test("the tar reader refuses a member below a link of the same archive")
    func belowALink() throws {
        let link = (TarEntry("a/link", .link(target: "/nowhere")), [UInt8]())
        let below = try write([link, Self.file("a/link/passwd", "x")])
        #expect(throws: Problem.self) { try read(below) }
        let folder = try write([link, (TarEntry("a/link", .folder), [])])
        #expect(throws: Problem.self) { try read(folder) }
        let beside = try write([link, Self.file("a/link2/passwd", "x")])
        #expect(try read(beside).count == 2)
    }

    @Test("the tar reader refuses hard links and pipes")
    func hardLinksAndPipes() throws {
        _ = try sh("echo x >a; ln a b; mkfifo p; tar cf hard.tar a b; tar cf pipe.tar p")
        #expect(throws: Problem.self) { try read(try File.read(folder + "/hard.tar")) }
        #expect(throws: Problem.self) { try read(try File.read(folder + "/pipe.tar")) }
    }

    @Test("the tar reader reads what git archive writes")
    func gitArchive() throws {
        _ = try sh(
            """
            git init -q .; echo x >a; git add a; git -c user.name=n -c user.email=e commit -qm m
            git archive -o x.tar HEAD
            """)
        #expect(try read(try File.read(folder + "/x.tar")).map(\.0.path) == ["a"])
    }

    @Test("the tar writer refuses content that is longer or shorter than announced")
    func announcedSize() throws {
        var writer = TarWriter { _ in }
        try writer.begin(TarEntry("a", .file(size: 3, isExecutable: false)))
        #expect(throws: Problem.self) { try [UInt8](repeating: 0, count: 4).withUnsafeBytes { try writer.write($0) } }
        #expect(throws: Problem.self) { try writer.finish() }
    }
}
